"""launch/pbs.sh with stand-ins for PBS: python3 Tests/launch/test_pbs.py"""

import os
import unittest

from checkout import CheckoutTests

# As OpenPBS prints it, a long value broken over two lines.
QSTAT = """#!/bin/sh
printf 'Job Id: 12.server\\n    Job_Name = lockstep\\n    Resource_List.ncpus = 5\\n'
printf '    Resource_List.select = 1:ncpus=3:mpiprocs=3+1:ncpus=2:\\n\\tmpiprocs=2\\n    Resource_List.walltime = %s\\n' "$WALLTIME"
printf '    queue = workq\\n'
"""


class PBSTests(CheckoutTests):
    def setUp(self):
        super().setUp()
        self.write("tools/qstat", QSTAT)
        self.write("tools/qsub", "#!/bin/sh\necho \"qsub $* [$LOCKSTEP_CHAIN] [$LOCKSTEP_ARGUMENTS]\" >>\"$CALLS\"\necho 13.server\nexit ${REFUSED:-0}\n")
        # Writes down the hosts, which are gone when the job has ended.
        with open(os.path.join(self.directory, "tools/mpirun")) as file:
            mpirun = file.read()
        self.write("tools/mpirun", mpirun.replace("ranks=all", 'for file; do [[ ! -f $file ]] || cat "$file" >>"$CALLS"; done\nranks=all', 1))
        with open(os.path.join(self.root, "launch/pbs.sh")) as file:
            self.script = self.write("spool/12.server.SC", file.read())
        self.write("nodes", "node1\nnode1\nnode1\nnode2\nnode2\n")
        self.job = {
            "PBS_JOBID": "12.server", "PBS_O_WORKDIR": self.root, "PBS_NODEFILE": os.path.join(self.directory, "nodes"),
            "WALLTIME": "01:02:03"}

    def log(self, name="pbs-12"):
        with open(os.path.join(self.root, "runs", name + ".log")) as file:
            return file.read()

    def test_takes_its_size_and_limit_from_the_job(self):
        result = self.run_script(self.script, LOCKSTEP_ARGUMENTS="--global-batch 256", **self.job)
        self.assertEqual((result.returncode, result.output, result.errors), (0, "", ""))
        self.assertIn("node1 slots=3", self.calls_made())
        self.assertIn("node2 slots=2", self.calls_made())
        call = self.calls_made()[1]
        self.assertRegex(call, r" -n 5 --hostfile \S+")
        self.assertTrue(
            call.endswith(" /the/program train --run-dir runs/pbs-12 --max-time 3633s --global-batch 256"), call)
        self.assertIn("job 12.server, node1 slots=3,node2 slots=2", self.log())
        self.assertFalse([line for line in self.calls_made() if line.startswith("qsub")])

    def test_goes_on_in_a_job_like_it(self):
        settings = self.job | {"LOCKSTEP_ARGUMENTS": "--epochs 9\n--data a,b\n", "CODE": "75"}
        result = self.run_script(self.script, **settings)
        self.assertEqual(result.returncode, 75)
        self.assertTrue(self.calls_made()[0].endswith(" --epochs 9 --data a,b"), self.calls_made())
        self.assertEqual(
            self.calls_made()[-1],
            "qsub -v LOCKSTEP_CHAIN,LOCKSTEP_ARGUMENTS -l select=1:ncpus=3:mpiprocs=3+1:ncpus=2:mpiprocs=2 "
            f"-l walltime=01:02:03 {self.root}/launch/pbs.sh [runs/pbs-12] [--epochs 9 --data a,b]")
        # The next job of the chain.
        result = self.run_script(self.script, LOCKSTEP_CHAIN="runs/pbs-12", **(self.job | {"PBS_JOBID": "13.server"}))
        self.assertEqual(result.returncode, 0)
        self.assertIn("--run-dir runs/pbs-12 ", self.calls_made()[-3])
        self.assertEqual(self.calls_made()[-2:], ["node1 slots=3", "node2 slots=2"])
        self.assertIn("13.server goes on", self.log())
        self.assertIn("job 13.server", self.log())

    def test_keeps_the_directory_that_it_is_given(self):
        for arguments in ("--run-dir mine", "--run-dir=mine"):
            open(self.calls, "w").close()
            self.run_script(self.script, LOCKSTEP_ARGUMENTS=arguments, **self.job)
            self.assertIn(arguments, self.calls_made()[1])
            self.assertNotIn("--run-dir runs/", self.calls_made()[1])

    def test_only_what_stopped_after_a_checkpoint_goes_on(self):
        for code in (64, 65, 70, 73):
            self.assertEqual(self.run_script(self.script, CODE=str(code), **self.job).returncode, code)
        self.assertFalse([line for line in self.calls_made() if line.startswith("qsub")])
        self.assertEqual(self.run_script(self.script, CODE="75", REFUSED="1", **self.job).returncode, 75)
        self.assertIn("qsub refuses", self.log())

    def test_refuses_where_there_is_no_checkout_or_job(self):
        for settings in ({}, self.job | {"PBS_NODEFILE": "/nowhere"}, self.job | {"PBS_O_WORKDIR": "/"}):
            result = self.run_script(self.script, **settings)
            self.assertEqual((result.returncode, result.errors.count("\n")), (66, 1))


if __name__ == "__main__":
    unittest.main()
