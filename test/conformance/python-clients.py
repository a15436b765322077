"""What programs do with Debian's python3-etcd3 and python3-etcd3gw.

Prints a line for each thing done; the same lines are expected of every server.

    python3 python-clients.py etcd3|etcd3gw HOST PORT
"""

import sys
import threading


def with_etcd3(host, port):
    import etcd3

    client = etcd3.client(host=host, port=port)
    client.put("key", "value")
    value, meta = client.get("key")
    print("get", value, meta.key, meta.version, meta.create_revision == meta.mod_revision)
    print("get nothing", client.get("nothing"))
    client.put("p/1", "a")
    client.put("p/2", "b")
    print("prefix", [(meta.key, value) for value, meta in client.get_prefix("p/")])
    print("sorted", [meta.key for _, meta in client.get_prefix("p/", sort_order="descend")])
    print("replace", client.replace("key", "value", "other"), client.replace("key", "value", "x"))
    succeeded, responses = client.transaction(
        compare=[client.transactions.value("key") == "other", client.transactions.version("no") == 0],
        success=[client.transactions.put("t", "1"), client.transactions.get("key")],
        failure=[client.transactions.delete("t")],
    )
    print("transaction", succeeded, [value for value, _ in responses[1]])
    print("put if absent", client.put_if_not_exists("t", "2"), client.put_if_not_exists("u", "2"))

    lease = client.lease(60)
    client.put("leased", "v", lease=lease)
    print("lease", lease.granted_ttl, lease.keys, 0 < lease.remaining_ttl <= 60)
    print("renewed", [reply.TTL for reply in lease.refresh()])
    lease.revoke()
    print("revoked", client.get("leased")[0])

    start = client.get("key")[1].mod_revision
    events, cancel = client.watch_prefix("w/", start_revision=start)
    client.put("w/1", "one")
    client.delete("w/1")
    for _ in range(2):
        event = next(events)
        print("watch", type(event).__name__, event.key, event.value)
    cancel()

    held = client.lock("lock", ttl=20)
    print("lock", held.acquire(timeout=5), held.is_acquired())
    try:
        print("second", client.lock("lock", ttl=20).acquire(timeout=0.5))
    except Exception as error:  # the library's own way to say no
        print("second", type(error).__name__)
    print("release", held.release())
    print("deleted", client.delete("key"), client.delete("key"), client.delete_prefix("p/").deleted)
    client.compact(start, physical=True)
    print("members", len(list(client.members)), client.status().leader.id != 0)
    print("alarms", list(client.list_alarms()))
    client.defragment()
    try:
        client.compact(start)
    except etcd3.exceptions.Etcd3Exception as error:
        print("compacted", type(error).__name__)
    except Exception as error:  # the library lets some of gRPC's through
        print("compacted", error.code().name, error.details())
    client.close()


def with_etcd3gw(host, port):
    import etcd3gw
    from etcd3gw import exceptions

    client = etcd3gw.Etcd3Client(host=host, port=port, api_path="/v3/")
    print("put", client.put("key", "value"), client.get("key"), client.get("nothing"))
    client.put("p/1", "a")
    client.put("p/2", "b")
    print("prefix", [(meta["key"], value) for value, meta in client.get_prefix("p/")])
    print("create", client.create("new", "1"), client.create("new", "2"))
    print("replace", client.replace("new", "1", "3"), client.replace("new", "1", "4"))
    lease = client.lease(ttl=60)
    client.put("leased", "v", lease=lease)
    print("lease", lease.keys(), 0 < lease.ttl() <= 60, lease.refresh(), lease.revoke())
    print("revoked", client.get("leased"))
    events, cancel = client.watch_prefix("w/")
    seen = []

    def read():
        for event in events:
            seen.append((event.get("type", "PUT"), event["kv"]["key"]))
            if len(seen) == 2:
                return

    reader = threading.Thread(target=read)
    reader.start()
    client.put("w/1", "one")
    client.delete("w/1")
    reader.join(20)
    cancel()
    print("watch", seen)
    lock = client.lock("lock", ttl=20)
    print("lock", lock.acquire(), lock.is_acquired(), lock.release())
    print("deleted", client.delete("key"), client.delete("key"), client.delete_prefix("p/"))
    print("members", len(client.members()), client.status()["leader"] != "0")
    try:
        client.post(client.get_url("/lease/revoke"), json={"ID": 5})
    except exceptions.Etcd3Exception as error:
        print("refused", type(error).__name__)


if __name__ == "__main__":
    library, host, port = sys.argv[1:4]
    {"etcd3": with_etcd3, "etcd3gw": with_etcd3gw}[library](host, int(port))
