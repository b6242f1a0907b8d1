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
    bodies
    groups
    protobuf
    push_path
    routes
    text
    times
}

#[test]
fn no_topic_is_forgotten() {
    assert_eq!(scenario::topics(), TOPICS);
}
