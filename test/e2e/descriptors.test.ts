import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';

const JOB = `
apiVersion: batch/v1
kind: Job
metadata: {name: many}
spec:
  completions: 500
  parallelism: 100
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: busybox, command: [sh, -c, "echo hello; sleep 0.2"]}
`;

test('with a limit of 256 open files run completes 500 Pods, 100 at a time, and prints every log', async (t) => {
	const script = 'ulimit -n 256; exec "$0" run --embedded -f -';
	const env = { HOME: temporaryFolder(t), PATH: process.env.PATH };
	const { code, stdout, stderr } = await run('sh', ['-c', script, join(ROOT, 'stint')], { env, input: JOB });
	assert.equal(code, 0, stderr);
	const lines = stdout.match(/^\[many-\w{5}\] hello$/gm) ?? [];
	assert.equal(new Set(lines).size, 500, stderr);
	assert.doesNotMatch(stderr, /cannot be read|too many open files/);
});
