//! Why a push was rejected, told on a terminal by whoever can reach the gateway.

use std::net::TcpListener;

use e2e::gateway::{command, entry};
use e2e::{Folder, Gateway, artifacts};

#[test]
fn a_rejection_is_explained_by_the_gateway_that_knows_it() {
    let writer = entry("writer", &artifacts::guest("scribe"), "config = { write = \"w\" }");
    let strict = entry("strict", &artifacts::guest("scribe"), "config = { refuse = \"bad\" }");
    let gateway = Gateway::start(&[writer, strict].concat());
    let refused = gateway.put("/metrics/job/one", "good 1\nbad 2\n").expect(422);
    let id = refused.header("x-request-id").unwrap().to_owned();
    let explain = |arguments: &[&str]| command(&Folder::new(), &[&["plugin", "explain"], arguments].concat());
    let to = format!("--to={}", gateway.url(""));
    let told = explain(&[&id, &to]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    for part in [
        "PUT {job=\"one\"} at 20",
        &format!("Z: refused (id {id})\n\nstrict 0.1.0, mode enforce: rejected\n  scribe/forbidden at bad"),
        "choose another name",
        "\n  scribe/forbidden means: ",
        "\nwriter had changed before\n  set-label seen = \"w\", 2 series\n",
        "\nstrict saw {job=\"one\"}, 2 of 2 series\n",
        "\n  bad{seen=\"w\"} 2\n",
        "\nstrict is configured with\n  {\n    \"refuse\": \"bad\"\n  }\n",
    ] {
        assert!(told.stdout.contains(part), "'{part}' in {}", told.stdout);
    }
    // As the answer to the push names it.
    let details = refused.text().lines().find_map(|line| line.strip_prefix("details: ")).unwrap().to_owned();
    assert_eq!(explain(&[&details, &to]).stdout, told.stdout);
    assert_eq!(explain(&[&gateway.url(&details)]).stdout, told.stdout);

    let unknown = explain(&["0000000000000000", &to]);
    assert_eq!(unknown.code, 1, "{}", unknown.stderr);
    assert!(unknown.stdout.contains("keeps no rejection '0000000000000000'"), "{}", unknown.stdout);
    let no_id = explain(&["scribe/forbidden", &to]);
    assert_eq!(no_id.code, 2, "{}", no_id.stdout);
    assert!(no_id.stderr.contains("'scribe/forbidden' is no id of a rejection"), "{}", no_id.stderr);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = explain(&[&id, &format!("--to=http://{nobody}")]);
    assert_eq!(unreachable.code, 2, "{}", unreachable.stdout);
    assert!(unreachable.stderr.contains(&format!("cannot reach http://{nobody}/api/v1/rejections/{id}")));
}
