//! Files that something happened to, or that somebody made up.

use pushgate_gob::{Group, Limits, Problem, ReadError, Timestamp, read};

const PUSHGATEWAY: &[u8] = include_bytes!("fixtures/pushgateway-1.11.2.data");

fn groups(file: &[u8]) -> Result<Vec<Group<'_>>, ReadError> {
    read(file, Limits::default())?.collect()
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    for end in 0..PUSHGATEWAY.len() {
        let error = read(&PUSHGATEWAY[..end], Limits::default()).err().unwrap();
        assert!(error.offset <= end, "{error}");
    }
    let check = |end, expected: &str| {
        assert_eq!(groups(&PUSHGATEWAY[..end]).unwrap_err().to_string(), expected);
    };
    check(0, "cannot read the persistence file at byte 0: the file is empty");
    check(
        41,
        "cannot read the persistence file at byte 0: the message announces 41 bytes, but only 40 are left",
    );
    check(42, "cannot read the persistence file at byte 42: the file ends before the groups");
    check(
        4209,
        "cannot read the persistence file at byte 1464: the message announces 2743 bytes, but only 2742 are left",
    );
}

#[test]
fn no_flipped_bit_panics() {
    let mut file = PUSHGATEWAY.to_vec();
    let mut refused = 0;
    for place in 0..file.len() {
        for bit in 0..8 {
            file[place] ^= 1 << bit;
            match groups(&file) {
                Ok(groups) => assert!(groups.len() <= file.len()),
                Err(error) => {
                    assert!(error.offset <= file.len(), "{error}");
                    refused += 1;
                }
            }
            file[place] ^= 1 << bit;
        }
    }
    // Most of a file is names, values and contents, in which any bits can be.
    assert!(refused > file.len(), "{refused}");
}

#[test]
fn behind_the_value_nothing_follows() {
    let error = groups(&[PUSHGATEWAY, &[0, 0]].concat()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the persistence file at byte 4210: 2 bytes follow behind the end of the file's one value",
    );
}

#[test]
fn after_an_error_there_are_no_groups() {
    // A count of groups that is one too high.
    let mut file = PUSHGATEWAY.to_vec();
    let count = 1464 + 3 + 2 + 1;
    file[count] += 1;
    let mut groups = read(&file, Limits::default()).unwrap();
    assert_eq!(groups.by_ref().filter(Result::is_ok).count(), 5);
    assert!(groups.next().is_none());
    // And one that is too low.
    file[count] -= 2;
    let mut groups = read(&file, Limits::default()).unwrap();
    let error = groups.by_ref().find_map(Result::err).unwrap();
    assert!(matches!(error.problem, Problem::ExtraBytes { what: "the map of groups", .. }), "{error}");
    assert!(groups.next().is_none());
}

/// Definitions of types, in the words of the gob encoding. Numbers are small here: one byte each.
mod definition {
    pub(super) fn array(element: i8, length: i8) -> Vec<u8> {
        [&[1], &number(2, element)[..], &number(1, length), &[0, 0]].concat()
    }

    pub(super) fn slice(element: i8) -> Vec<u8> {
        [&[2], &number(2, element)[..], &[0, 0]].concat()
    }

    pub(super) fn structure(fields: &[(&str, i8)]) -> Vec<u8> {
        let mut bytes = vec![3, 2, fields.len() as u8];
        for (name, id) in fields {
            bytes.extend([&[1, name.len() as u8], name.as_bytes(), &number(1, *id), &[0]].concat());
        }
        [bytes, vec![0, 0]].concat()
    }

    pub(super) fn map(key: i8, value: i8) -> Vec<u8> {
        [&[4], &number(2, key)[..], &number(1, value), &[0, 0]].concat()
    }

    pub(super) fn gob_encoder() -> Vec<u8> {
        vec![5, 0, 0]
    }

    pub(super) fn binary_marshaler() -> Vec<u8> {
        vec![6, 0, 0]
    }

    /// A field that is `distance` behind the one before.
    fn number(distance: u8, number: i8) -> Vec<u8> {
        [vec![distance], super::int(number)].concat()
    }
}

fn int(number: i8) -> Vec<u8> {
    let bits = (i16::from(number) << 1 ^ i16::from(number) >> 15) as u8;
    if bits < 128 { vec![bits] } else { vec![0xff, bits] }
}

/// A file of messages: an id and what follows.
fn file(messages: &[(i8, Vec<u8>)]) -> Vec<u8> {
    let message = |(id, rest): &(i8, Vec<u8>)| {
        let bytes = [int(*id), rest.clone()].concat();
        [vec![0xfe, (bytes.len() >> 8) as u8, bytes.len() as u8], bytes].concat()
    };
    messages.iter().flat_map(message).collect()
}

const STRING: i8 = 6;

/// The types of a Pushgateway, in another order, with ids far apart and one field more in each struct.
fn types(more_of_group: i8, more_of_family: i8) -> Vec<(i8, Vec<u8>)> {
    vec![
        (-99, definition::gob_encoder()),
        (
            -70,
            definition::structure(&[
                ("GobbableMetricFamily", 99),
                ("More", more_of_family),
                ("Timestamp", 98),
            ]),
        ),
        (-98, definition::gob_encoder()),
        (-90, definition::map(STRING, 70)),
        (-65, definition::structure(&[("More", more_of_group), ("Metrics", 90), ("Labels", 80)])),
        (-80, definition::map(STRING, STRING)),
        (-127, definition::map(STRING, 65)),
    ]
}

/// A value of [`types`]: one group with one label. `more` is its field 0 behind the distance to it.
fn value(more: &[u8]) -> (i8, Vec<u8>) {
    (127, [&[0, 1, 0], more, &[2, 1, 1, b'a', 1, b'b', 0]].concat())
}

/// What is found in a file with these types and this value.
#[expect(clippy::needless_pass_by_value, reason = "so that expectations read as what they are")]
fn check(types: &[(i8, Vec<u8>)], value: (i8, Vec<u8>), expected: Result<usize, Problem>) {
    let file = file(&[types, &[value]].concat());
    let found = groups(&file).map(|groups| groups.len()).map_err(|error| error.problem);
    assert_eq!(found, expected);
}

#[test]
fn types_may_come_in_any_order() {
    let time = [1, 0, 0, 0, 0x0e, 0x77, 0x91, 0xf7, 0x01, 0, 0, 0, 9, 0, 60];
    let family = [&[1, b'm', 1, 2, 7, 8, 1, 42, 1, 15], &time[..], &[0]].concat();
    let group = [&[1, b'k', 1, 3, 1, 2, 3, 1, 1], &family[..], &[1, 1, 1, b'a', 1, b'b', 0]].concat();
    let mut messages = types(5, 3);
    messages.push((127, [&[0, 1], &group[..]].concat()));
    let file = file(&messages);
    let groups = groups(&file).unwrap();
    let [group] = &groups[..] else { panic!("{groups:?}") };
    assert!(group.labels().eq([(&b"a"[..], &b"b"[..])]));
    let [family] = group.families() else { panic!("{group:?}") };
    assert_eq!((family.name, family.metric_family), (&b"m"[..], &[7, 8][..]));
    assert_eq!(family.pushed_at, Timestamp::new(1, 9).unwrap());
}

#[test]
fn values_of_every_type_are_skipped() {
    let more = |definition: Vec<u8>| {
        let mut types = types(66, 3);
        types.push((-66, definition));
        types
    };
    for (id, bytes) in [(1, &[1][..]), (2, &[0xff, 200]), (3, &[5]), (4, &[0xfe, 1, 2]), (7, &[1, 2])] {
        check(&types(id, 3), value(&[&[1], bytes].concat()), Ok(1));
    }
    for id in [5, 6] {
        check(&types(id, 3), value(&[1, 2, 0xff, 0xff]), Ok(1));
        let problem = Problem::Length { what: "a string", announced: 9, left: 8 };
        check(&types(id, 3), value(&[1, 9, 0]), Err(problem));
    }
    check(&types(8, 3), value(&[1, 0]), Err(Problem::Interface));
    check(&types(9, 3), value(&[1, 0]), Err(Problem::UndefinedType(9)));
    check(&types(100, 3), value(&[1, 0]), Err(Problem::UndefinedType(100)));

    let array = more(definition::array(2, 3));
    check(&array, value(&[1, 3, 1, 2, 3]), Ok(1));
    check(&array, value(&[1, 2, 1, 2]), Err(Problem::ArrayLength { expected: 3, found: 2 }));
    check(
        &more(definition::array(2, -1)),
        value(&[1, 0]),
        Err(Problem::ArrayLength { expected: -1, found: 0 }),
    );
    check(&more(definition::slice(6)), value(&[1, 2, 0, 1, 9]), Ok(1));
    check(&more(definition::map(6, 2)), value(&[1, 2, 1, 9, 9, 0, 9]), Ok(1));
    check(&more(definition::gob_encoder()), value(&[1, 2, 9, 9]), Ok(1));
    check(&more(definition::binary_marshaler()), value(&[1, 2, 9, 9]), Ok(1));

    let structure = more(definition::structure(&[("A", 2), ("B", 6)]));
    check(&structure, value(&[1, 1, 9, 1, 1, 9, 0]), Ok(1));
    check(&structure, value(&[1, 2, 0, 0]), Ok(1));
    let problem = Problem::UnknownField { what: "a struct", number: 2 };
    check(&structure, value(&[1, 3, 0, 0]), Err(problem));
}

#[test]
fn values_inside_one_another_have_a_bound() {
    // A slice of itself: each 1 is a slice with one element, the 0 an empty one.
    let mut types = types(66, 3);
    types.push((-66, definition::slice(66)));
    let nested = |depth: usize| value(&[&[1], &vec![1; depth - 1][..], &[0]].concat());
    check(&types, nested(32), Ok(1));
    let problem = Problem::OverLimit { what: "values inside one another", limit: 32 };
    check(&types, nested(33), Err(problem.clone()));
    check(&types, nested(60_000), Err(problem));
}

#[test]
fn definitions_are_checked() {
    let check = |definitions: &[(i8, Vec<u8>)], expected| {
        assert_eq!(groups(&file(definitions)).unwrap_err().problem, expected);
    };
    check(&[(-63, definition::slice(2))], Problem::IllegalType(63));
    check(&[(-64, definition::slice(2)), (-64, definition::slice(2))], Problem::SecondDefinition(64));
    check(&[(-64, vec![0])], Problem::Kind(64));
    check(&[(-64, vec![5, 0, 1, 0, 0])], Problem::Kind(64));
    check(&[(-64, vec![8, 0, 0])], Problem::UnknownField { what: "a type definition", number: 7 });
    check(&[(-64, vec![2, 3, 0, 0, 0])], Problem::UnknownField { what: "a type definition", number: 2 });
    check(&[(-64, vec![5, 0, 0, 9])], Problem::ExtraBytes { what: "a type definition", bytes: 1 });
    let many_fields = |count: u16| [&[3, 2, 0xfe], &count.to_be_bytes()[..], &vec![0; 300], &[0, 0]].concat();
    check(&[(-64, many_fields(300))], Problem::OverLimit { what: "fields in a struct", limit: 256 });
    check(
        &[(-64, many_fields(400))],
        Problem::Count { what: "a struct's list of fields", announced: 400, left: 302 },
    );
}

#[test]
fn types_have_a_bound() {
    // Each with an id of two bytes.
    let definition = |index: u16| {
        let id = (index + 64) * 2 - 1;
        [&[6, 0xfe], &id.to_be_bytes()[..], &definition::gob_encoder()].concat()
    };
    let types = |count| (0..count).flat_map(definition).collect::<Vec<u8>>();
    assert_eq!(groups(&types(256)).unwrap_err().problem, Problem::NoValue);
    let problem = Problem::OverLimit { what: "types", limit: 256 };
    assert_eq!(groups(&types(257)).unwrap_err().problem, problem);
}

#[test]
fn files_of_other_programs_are_refused() {
    let foreign = |what, expected| Err(Problem::Foreign { what, expected });
    let changed = |id: i8, definition: Vec<u8>| {
        let mut types = types(3, 3);
        types.iter_mut().find(|(other, _)| *other == -id).unwrap().1 = definition;
        types
    };
    let check = |types: &[_], expected| check(types, value(&[]), expected);

    let map_of_groups = foreign("the file's value", "a map of strings to groups");
    check(&[], map_of_groups.clone());
    check(&changed(127, definition::slice(65)), map_of_groups.clone());
    check(&changed(127, definition::map(2, 65)), map_of_groups);
    check(&changed(127, definition::map(STRING, 2)), foreign("a group", "a struct with labels and metrics"));
    let strings = foreign("the field for labels", "a map of strings to strings");
    check(&changed(80, definition::slice(STRING)), strings.clone());
    check(&changed(80, definition::map(STRING, 2)), strings);
    let families = foreign("the field for metrics", "a map of strings to metric families");
    check(&changed(90, definition::map(2, 70)), families);
    check(
        &changed(90, definition::map(STRING, 80)),
        foreign("a metric family", "a struct with a time and contents"),
    );
    let without = definition::structure(&[("Labels", 80)]);
    check(&changed(65, without), foreign("a group", "a struct with labels and metrics"));
    let without = definition::structure(&[("Metrics", 90)]);
    check(&changed(65, without), foreign("a group", "a struct with labels and metrics"));
    let twice = definition::structure(&[("Labels", 80), ("Metrics", 90), ("Metrics", 90)]);
    check(&changed(65, twice), foreign("a group", "a struct with labels and metrics"));
    let without = definition::structure(&[("Timestamp", 98)]);
    check(&changed(70, without), foreign("a metric family", "a struct with a time and contents"));
    let time = foreign("the time of a push", "of a type that encodes itself");
    check(&changed(98, definition::binary_marshaler()), time);
    let contents = foreign("the contents of a metric family", "of a type that encodes itself");
    check(&changed(99, definition::slice(2)), contents);
}

#[test]
fn groups_are_checked() {
    let check = |rest: &[u8], expected| check(&types(3, 3), (127, rest.to_vec()), expected);
    let metrics = |family: &[u8]| [&[0, 1, 0, 2, 1], family, &[0]].concat();
    check(&[0, 0], Ok(0));
    check(&[0, 1, 0, 0], Ok(1));
    check(&[7, 0], Err(Problem::Singleton));
    check(&[0, 9, 0, 0], Err(Problem::Count { what: "the map of groups", announced: 9, left: 2 }));
    check(&[0, 0, 0], Err(Problem::ExtraBytes { what: "the map of groups", bytes: 1 }));
    check(&[0, 1, 0, 4, 0], Err(Problem::UnknownField { what: "a group", number: 3 }));
    check(&metrics(&[1, b'm', 1, 0, 0]), Ok(1));
    check(&metrics(&[1, b'm', 4, 0, 0]), Err(Problem::UnknownField { what: "a metric family", number: 3 }));
    check(&metrics(&[1, b'm', 0]), Err(Problem::NoContents("m".into())));

    let time = |time: &[u8]| metrics(&[&[1, b'm', 1, 0, 2, time.len() as u8], time, &[0]].concat());
    check(&time(&[]), Err(Problem::TimeFormat { bytes: 0, version: 0 }));
    check(&time(&[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Ok(1));
    check(
        &time(&[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
        Err(Problem::TimeFormat { bytes: 14, version: 1 }),
    );
    check(&time(&[2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), Ok(1));
    check(
        &time(&[2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        Err(Problem::TimeFormat { bytes: 15, version: 2 }),
    );
    check(
        &time(&[3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        Err(Problem::TimeFormat { bytes: 15, version: 3 }),
    );
    let nanos = 1_000_000_000;
    let too_many = [&[1, 0, 0, 0, 0, 0, 0, 0, 1], &u32::to_be_bytes(nanos)[..], &[0, 0]].concat();
    check(&time(&too_many), Err(Problem::Time { seconds: 1, nanos }));

    let twice = [0, 1, 0, 3, 2, 1, b'a', 0, 1, b'a', 0, 0];
    let error =
        groups(&file(&[&types(3, 3)[..], &[(127, twice.to_vec())]].concat())).unwrap_err().to_string();
    assert!(error.ends_with(r#": label "a" comes twice in a group"#), "{error}");
}
