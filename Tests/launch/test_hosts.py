"""launch/hosts without hosts: python3 Tests/launch/test_hosts.py

The stand-in for ssh runs the command here, with the host's name in HOST.
"""

import os
import unittest

from checkout import CheckoutTests

SSH = """#!/bin/bash
while [[ $1 == -o ]]; do shift 2; done
printf 'ssh %s\\n' "$1" >>"$CALLS"
[[ $1 != gone ]] || { echo 'ssh: connect to host gone: No route to host' >&2; exit 255; }
HOST=$1 exec bash -c "$2"
"""


class HostsTests(CheckoutTests):
    def setUp(self):
        super().setUp()
        self.write("tools/ssh", SSH)
        self.hosts = self.write("hosts", "# two of them\nlocalhost\nnode2 # again below\n\nnode2\n")

    def test_runs_on_each_once_and_here_without_ssh(self):
        result = self.run_script("hosts", self.hosts, "bash", "-c", 'echo "${HOST:-here}  in $PWD: $1"', "x", "a 'b' $c")
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertEqual(
            result.output, "".join(f"{host}: {name}  in {self.directory}: a 'b' $c\n"
                                   for host, name in (("localhost", "here"), ("node2", "node2"))))
        self.assertEqual(self.calls_made(), ["ssh node2"])

    def test_output_behind_a_name_is_text(self):
        file = self.write("names", "node2 slots=2\n")
        result = self.run_script("hosts", file, "printf", "%s\n", "s|^|&|e", "-n", "\\")
        self.assertEqual(result.output, "node2: s|^|&|e\nnode2: -n\nnode2: \\\n")

    def test_says_where_it_failed(self):
        gone = self.write("gone", "localhost\ngone\nnode2\n")
        result = self.run_script("hosts", gone, "echo", "hello")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.output, "localhost: hello\nnode2: hello\n")
        self.assertIn("launch/hosts: on gone, echo ended with 255", result.errors)
        result = self.run_script("hosts", self.hosts, "false")
        self.assertEqual((result.returncode, result.errors.count("ended with 1\n")), (1, 2))

    def test_compares(self):
        result = self.run_script("hosts", "--same", self.hosts, "echo", "hello")
        self.assertEqual((result.returncode, result.output), (0, "all 2 hosts: hello\n"), result.errors)
        result = self.run_script("hosts", "--same", self.hosts, "bash", "-c", "echo ${HOST:-here}")
        self.assertEqual((result.returncode, result.output), (1, ""))
        self.assertEqual(result.errors, "launch/hosts: node2 differs from localhost: node2, not here\n")
        result = self.run_script("hosts", "--same", self.hosts, "bash", "-c", "[[ -z ${HOST-} ]] || { echo none >&2; exit 3; }")
        self.assertEqual((result.returncode, result.errors),
                         (1, "launch/hosts: on node2, bash ended with 3: none\n"))

    def test_takes_the_agent_that_mpirun_takes(self):
        self.write("tools/other", "#!/bin/bash\necho \"other $*\" >>\"$CALLS\"\n")
        self.run_script("hosts", self.hosts, "true", OMPI_MCA_plm_rsh_agent="other -q", OMPI_MCA_plm_rsh_args="-p 22")
        (call,) = self.calls_made()
        self.assertTrue(call.startswith("other -q -p 22 node2 cd"), call)

    def test_checks_program_and_data(self):
        program = self.write("program", "x")
        self.write("a checkout/launch/build", f"#!/bin/sh\necho '{program}'\n")
        self.write("tools/mpirun", "#!/bin/sh\necho \"mpirun ${VERSION_OF_NODE2:+${HOST:+$VERSION_OF_NODE2}}\"\n")
        self.write("cache/lockstep/mnist/t10k-labels-idx1-ubyte", "x")
        settings = {"XDG_CACHE_HOME": self.directory + "/cache"}
        result = self.run_script("hosts", self.hosts, **settings)
        self.assertEqual(result.returncode, 0, result.errors)
        self.assertEqual(result.output.count("all 2 hosts: "), 3)
        result = self.run_script("hosts", self.hosts, VERSION_OF_NODE2="9", **settings)
        self.assertEqual(result.returncode, 1)
        self.assertIn("node2 differs from localhost: mpirun 9, not mpirun", result.errors)

    def test_no_name_becomes_code(self):
        made = os.path.join(self.directory, "made")
        tried = 0
        for name in (f"touch${{IFS}}{made};|e;", f"|e;touch {made};", f"$(touch${{IFS}}{made})", f"`touch${{IFS}}{made}`",
                     f"-oProxyCommand=touch${{IFS}}{made}", f"a;touch${{IFS}}{made}", f"a[$(touch${{IFS}}{made})]"):
            hosts = self.write("hostile", f"localhost\n{name}\n")
            for arguments in ([hosts, "true"], ["--same", hosts, "true"]):
                result = self.run_script("hosts", *arguments)
                self.assertEqual((result.returncode, result.errors.count("\n")), (64, 1), result.errors)
                self.assertIn("hostile, line 2: ", result.errors)
                tried += 1
        self.assertFalse(os.path.exists(made))
        self.assertEqual(self.calls_made(), [])
        print(f"{tried} tries to make a name into code")

    def test_lines_are_shown_as_they_are(self):
        """What a host answers is no code either, nor is a line without an end lost."""
        result = self.run_script("hosts", self.hosts, "printf", "%s", "a|e;\\n&/\\1")
        self.assertEqual(result.output, "".join(f"{host}: a|e;\\n&/\\1\n" for host in ("localhost", "node2")))
        result = self.run_script("hosts", "--same", self.hosts, "bash", "-c", r"printf '%b\n' '\033[31m'${HOST-}")
        self.assertEqual(result.errors.count("\x1b"), 0)
        self.assertIn(r"node2 differs from localhost: \E[31mnode2, not \E[31m", result.errors)

    def test_surroundings(self):
        result = self.run_script("hosts", self.hosts, "true", TMPDIR="/nowhere")
        self.assertEqual((result.returncode, result.errors.count("\n")), (73, 1), result.errors)
        self.assertIn("TMPDIR=/nowhere", result.errors)

    def test_refuses(self):
        empty = self.write("empty", "# nobody\n")
        for code, arguments in (
            (64, []), (64, ["--same", self.hosts]), (66, ["/nowhere", "true"]), (66, [self.directory, "true"]),
            (65, [empty, "true"])):
            result = self.run_script("hosts", *arguments)
            self.assertEqual((result.returncode, result.errors.count("\n")), (code, 1), arguments)


if __name__ == "__main__":
    unittest.main()
