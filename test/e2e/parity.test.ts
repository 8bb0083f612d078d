import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startStint } from '../support/stint-server.ts';

/**
 * Runs the same commands with kubectl and with stint and compares stdout, stderr and exit codes. A difference
 * is a defect of stint: scripts written for kubectl have to work unchanged.
 */

const MANIFEST = `
apiVersion: batch/v1
kind: Job
metadata: {name: ok, labels: {chapter: jobs}, annotations: {note: "a <b> & c", on: "yes"}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: busybox, command: [sh, -c, "echo one\\necho two"]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: bad}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: busybox, command: [sh, -c, "echo no; exit 3"]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: paused, labels: {chapter: jobs}}
spec:
  schedule: "*/5 * * * *"
  suspend: true
  startingDeadlineSeconds: 1000
  jobTemplate:
    spec:
      completions: 2
      activeDeadlineSeconds: 1000
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: main, image: busybox, command: [sh, -c, "echo three"]}
`;

/** Commands whose output, errors and exit code must be the same with kubectl and with stint. */
const SAME: readonly string[] = [
	'get jobs',
	'get jobs -o wide',
	'get pods --show-labels',
	'get job ok',
	'get job/ok job/bad',
	'get job bad ok --no-headers',
	'get jobs,pods',
	'get all',
	'get all -o name',
	'get ns -L kubernetes.io/metadata.name',
	'get nodes -o wide',
	'get pods -A',
	'get job ok -o yaml',
	'get job ok -o json',
	'get jobs -o yaml',
	'get pods -l job-name=ok -o jsonpath={.items[*].status.containerStatuses[0].state}',
	'get jobs -o custom-columns=NAME:.metadata.name,FAILED:.status.failed,NONE:.spec.foo',
	'get jobs --field-selector metadata.name=ok',
	'get jobs -n nowhere',
	'get job nope',
	'get job nope ok',
	'get job nope --ignore-not-found',
	'get pods -l nope=x -o yaml',
	'get --raw /readyz',
	'get --raw /apis/batch/v1/namespaces/default/jobs?limit=1',
	'logs job/ok',
	'logs -l job-name=ok',
	'logs -l job-name=bad --prefix',
	'logs -l job-name=ok --tail=1',
	'describe ns default',
	'get pc',
	'get priorityclasses -o name',
	'describe pc system-cluster-critical',
	'get cronjobs',
	'get cj paused -o wide',
	'get cj/paused -o yaml',
	'describe cronjob paused',
];

test('stint prints the same as kubectl to the letter', async (t) => {
	const server = await startStint(t);
	const file = join(server.folder, 'two.yaml');
	writeFileSync(file, MANIFEST);
	assert.equal((await server.stint('apply', '-f', file)).code, 0);
	assert.match(
		(await server.kubectl('apply', '-f', file)).stdout,
		/ok unchanged\n.*bad unchanged\n.*paused unchanged/,
	);
	await server.kubectl('wait', '--for=condition=Complete', '--timeout=60s', 'job/ok');
	await server.kubectl('wait', '--for=condition=Failed', '--timeout=60s', 'job/bad');
	for (const command of SAME) {
		const words = command.split(' ');
		const [theirs, ours] = [await server.kubectl(...words), await server.stint(...words)];
		for (const stream of ['stdout', 'stderr'] as const)
			assert.equal(ageless(ours[stream]), ageless(theirs[stream]), `${stream} of ${command}`);
		assert.equal(ours.code, theirs.code, `exit code of ${command}`);
	}
});

/**
 * Replaces ages and the padding around them, and the revision of a list as JSON: time passes between the two commands, and
 * leases are renewed.
 */
function ageless(text: string): string {
	return text
		.replace(/"metadata":\{"resourceVersion":"\d+"(,"continue":"[^"]*")?/, '"metadata":{REVISION')
		.replace(/ +(?=\d+[smh]\b)/g, ' ')
		.replace(/\b(\d+m)?\d+s\b/g, 'AGE')
		.replace(/(?<=AGE) +/g, ' ');
}
