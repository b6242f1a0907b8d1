//! The scenarios below `tests/scenarios`: what a server that is compatible with the Pushgateway does.

use e2e::scenario;

/// A test for each file, so that they run at the same time and a failure names its topic.
macro_rules! topics {
    ($($topic:ident)*) => {
        $(
            #[test]
            fn $topic() {
                scenario::hold(stringify!($topic));
            }
        )*

        const TOPICS: &[&str] = &[$(stringify!($topic)),*];
    };
}

topics! {
    admin
    api
    bodies
    consistency
    groups
    lifecycle
    poisons
    prefix
    protobuf
    push_path
    routes
    scrape
    text
    times
    unchecked
    utf8
}

#[test]
fn no_topic_is_forgotten() {
    assert_eq!(scenario::topics(), TOPICS);
}
