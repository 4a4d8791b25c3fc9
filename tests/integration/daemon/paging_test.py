# SPDX-License-Identifier: Apache-2.0
"""Lists in pages while the past is forgotten under them: paging_test.py BIN_DIRECTORY."""
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from urllib.parse import quote

from programs import Flotillad
from security_test import Client

SPACE = "/api/v1/namespaces/pages"
MAPS = SPACE + "/configmaps"
EXPIRED = ("The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
           "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing "
           "with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the "
           "time the first chunk was returned and now may show up in the list.")
HISTORY = 100


def decoded(token):
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def names(page):
    return [item["metadata"]["name"] for item in page["items"]]


class PagingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.start()
        self.client.json("POST", "/api/v1/namespaces", {"metadata": {"name": "pages"}})
        for i in range(25):
            self.client.json("POST", MAPS, {"metadata": {"name": f"m-{i:02}"}, "data": {"at": "first"}})

    def start(self):
        self.daemon = Flotillad(os.path.join(self.folder, "plane"), "--set", "controllers.enabled=false", "--set",
                                f"storage.history={HISTORY}")
        self.addCleanup(self.daemon.stop, signal.SIGKILL)
        self.assertTrue(self.daemon.ready(), self.daemon.errors())
        self.client = Client(self.daemon)

    def page(self, token="", limit=10, path=MAPS, code=(200,)):
        return self.client.json("GET", f"{path}?limit={limit}&continue={quote(token)}", code=code)

    def churn(self, times):
        for i in range(times):
            self.client.json("PUT", MAPS + "/m-00", {"metadata": {"name": "m-00"}, "data": {"at": str(i)}})

    def expired(self, token, **options):
        """Answers the token that goes on, after everything else of the answer was compared."""
        answer = self.page(token, code=(410,), **options)
        fresh = answer["metadata"].pop("continue")
        self.assertEqual(answer, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": EXPIRED,
                                  "reason": "Expired", "code": 410})
        return fresh

    def change_the_rest(self):
        self.client.json("DELETE", MAPS + "/m-15")
        self.client.json("POST", MAPS, {"metadata": {"name": "m-155"}, "data": {"at": "later"}})
        self.client.json("PUT", MAPS + "/m-16", {"metadata": {"name": "m-16"}, "data": {"at": "later"}})
        self.client.json("POST", MAPS, {"metadata": {"name": "a"}})  # before what was already listed

    def test_pages_show_one_moment_while_it_is_remembered(self):
        first = self.page()
        self.assertEqual((names(first), first["metadata"]["remainingItemCount"]), ([f"m-{i:02}" for i in range(10)], 15))
        self.change_the_rest()
        self.churn(HISTORY - 10)
        second = self.page(first["metadata"]["continue"])
        third = self.page(second["metadata"]["continue"])
        self.assertEqual(names(second) + names(third), [f"m-{i}" for i in range(10, 25)])
        self.assertEqual({item["data"]["at"] for item in second["items"]}, {"first"})
        self.assertEqual({page["metadata"]["resourceVersion"] for page in (first, second, third)}, {first["metadata"]["resourceVersion"]})
        self.assertEqual(second["metadata"]["remainingItemCount"], 5)
        self.assertNotIn("continue", third["metadata"])

    def test_a_moment_that_was_forgotten_is_410_and_the_token_in_it_goes_on_at_the_newest(self):
        first = self.page()
        version = int(first["metadata"]["resourceVersion"])
        self.change_the_rest()
        self.churn(HISTORY + 10)
        token = self.expired(first["metadata"]["continue"])
        self.assertEqual(decoded(token), {"v": "meta.k8s.io/v1", "rv": -1, "start": "pages/m-09\0"})

        newest = self.page(token)
        self.assertEqual(names(newest), [f"m-{i}" for i in range(10, 15)] + ["m-155"] + [f"m-{i}" for i in range(16, 20)])
        self.assertEqual([item["data"]["at"] for item in newest["items"]][5:7], ["later", "later"])
        self.assertGreater(int(newest["metadata"]["resourceVersion"]), version)
        self.assertEqual(newest["metadata"]["remainingItemCount"], 5)
        # From here on it is a moment again, which its own token keeps.
        self.client.json("DELETE", MAPS + "/m-24")
        last = self.page(newest["metadata"]["continue"])
        self.assertEqual(names(last), [f"m-{i}" for i in range(20, 25)])
        self.assertEqual(last["metadata"]["resourceVersion"], newest["metadata"]["resourceVersion"])
        # And may be forgotten again.
        self.churn(HISTORY + 10)
        again = self.expired(newest["metadata"]["continue"])
        self.assertEqual(names(self.page(again)), [f"m-{i}" for i in range(20, 24)])

    def test_changes_elsewhere_forget_nothing_here(self):
        first = self.page()
        for i in range(HISTORY + 10):
            self.client.json("POST", SPACE + "/secrets", {"metadata": {"name": f"s-{i}"}})
        self.assertEqual(names(self.page(first["metadata"]["continue"])), [f"m-{i}" for i in range(10, 20)])

    def test_pages_over_all_namespaces(self):
        self.client.json("POST", "/api/v1/namespaces", {"metadata": {"name": "other"}})
        self.client.json("POST", "/api/v1/namespaces/other/configmaps", {"metadata": {"name": "m-05"}})
        everywhere = "/api/v1/configmaps"
        first = self.page(path=everywhere, limit=5)
        self.assertEqual(decoded(first["metadata"]["continue"])["start"], first["items"][-1]["metadata"]["namespace"] + "/"
                         + first["items"][-1]["metadata"]["name"] + "\0")
        self.churn(HISTORY + 10)
        token = self.expired(first["metadata"]["continue"], path=everywhere, limit=5)
        rest = self.page(token, path=everywhere, limit=500)
        def keys(*pages):
            return [(item["metadata"]["namespace"], item["metadata"]["name"]) for page in pages for item in page["items"]]
        self.assertEqual(keys(first, rest), keys(self.client.json("GET", everywhere)))

    def test_a_token_from_before_a_restart(self):
        first = self.page()
        self.change_the_rest()
        self.daemon.stop()
        self.start()
        token = self.expired(first["metadata"]["continue"])
        self.assertEqual(names(self.page(token))[5], "m-155")

    def test_exact_lists_and_watches_of_a_forgotten_moment(self):
        version = self.page()["metadata"]["resourceVersion"]
        self.churn(HISTORY + 10)
        answer = self.client.json("GET", f"{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact", code=(410,))
        self.assertEqual((answer["message"], answer["reason"]), ("The resourceVersion for the provided list is too old.", "Expired"))
        status, text = self.client.call("GET", f"{MAPS}?watch=true&resourceVersion={version}")
        event = json.loads(text)
        self.assertEqual((status, event["type"]), (200, "ERROR"))
        self.assertEqual((event["object"]["code"], event["object"]["reason"]), (410, "Expired"))
        self.assertRegex(event["object"]["message"], rf"^too old resource version: {version} \(\d+\)$")

    @unittest.skipUnless(shutil.which("kubectl"), "needs kubectl")
    def test_kubectl_in_chunks(self):
        listed = subprocess.run(["kubectl", "--kubeconfig", self.daemon.kubeconfig, "-n", "pages", "get", "configmaps", "-o", "name",
                                 "--chunk-size=3"], capture_output=True, text=True, timeout=60, check=True).stdout
        self.assertEqual(listed.split(), [f"configmap/m-{i:02}" for i in range(25)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
