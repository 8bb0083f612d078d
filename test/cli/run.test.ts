import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import { logGapText } from '../../src/api/contract/log-gap.ts';
import { events } from '../../src/api/core/event/definition.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import { badRequest, notFound } from '../../src/api/errors/api-error.ts';
import { apply } from '../../src/cli/commands/apply.ts';
import { CliWorld, jobManifest } from './cli-world.ts';
import { DONE, FAILED, startRun } from './run-command.ts';

/**
 * `stint run` against a real API server in the process. The test acts as the Job controller and the node
 * agent, because what run prints depends on the order in which Pods start, end and disappear, and only a test
 * that writes the statuses itself can choose that order.
 */

test('run of a Job that completes prints its log with the name of its Pod, and exits with 0', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/job\.batch\/pi created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	world.logs.set('pi-1/main', 'one\ntwo\n');
	await world.runPod('pi-1', 0);
	await world.finish('pi', ...DONE);
	const { code, stdout, stderr } = await command.ended;
	assert.equal(code, 0);
	assert.equal(stdout, '[pi-1] one\n[pi-1] two\n');
	assert.equal(stderr, 'job.batch/pi created\njob/pi complete after 0s\n');
	assert.equal(
		(await world.job('pi')).metadata.deletionTimestamp,
		undefined,
		'run does not delete a finished Job',
	);
});

test('run of a Job that fails prints the failure with the last log lines, and exits with its container’s exit code', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1', { tracked: true });
	world.logs.set('pi-1/main', '1\n2\n3\n4\n5\n6\n7\n');
	await world.runPod('pi-1', 42);
	await world.finish('pi', ...FAILED);
	const { code, stderr } = await command.ended;
	assert.equal(code, 42);
	assert.equal(
		stderr,
		`job.batch/pi created
job/pi failed after 0s: BackoffLimitExceeded: Job has reached the specified backoff limit
  pod/pi-1: container main: exit code 42 (after 0s)
      | 3
      | 4
      | 5
      | 6
      | 7
`,
	);
});

test('run reports the sum of missing log lines', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	const gaps = [logGapText(1_331_493, 'rotation'), logGapText(7, 'no space')];
	world.logs.set('pi-1/main', `one\n${gaps[0]}\ntwo\n${gaps[1]}\nthree\n`);
	await world.runPod('pi-1', 0);
	await world.finish('pi', ...DONE);
	const { stdout, stderr } = await command.ended;
	assert.equal(stdout, ['one', gaps[0], 'two', gaps[1], 'three'].map((line) => `[pi-1] ${line}\n`).join(''));
	assert.match(stderr, /^pi-1: 1331500 lines of its log are missing; the gaps are marked above$/m);
});

test('the summary of a failed Job includes Pods that were deleted meanwhile', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.runPod('pi-1', 7);
	await world.client.resource(pods, 'default').delete('pi-1', { gracePeriodSeconds: 0 });
	await world.finish('pi', ...FAILED);
	assert.equal((await command.ended).code, 7);
});

test('run prints the log of each container attempt once, also of one that ended before it was followed', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi').replace('Never', 'OnFailure'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	const first = world.ended(1, 'run-1');
	await world.report('pi-1', 'Running', first, { run: 'run-1' });
	world.logs.set('pi-1/main/previous', 'first\n');
	world.logs.set('pi-1/main', 'second\n');
	const more = { lastState: first, restartCount: 1, run: 'run-2' };
	await world.report('pi-1', 'Running', { running: {} }, more);
	await world.report('pi-1', 'Succeeded', world.ended(0, 'run-2'), more);
	await world.finish('pi', ...DONE);
	const { code, stdout } = await command.ended;
	assert.deepEqual([code, stdout], [0, '[pi-1] first\n[pi-1] second\n']);
});

test('run exits only after every log is printed, and prints the attempts of a container in order', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi').replace('Never', 'OnFailure'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	const slow = Promise.withResolvers<void>();
	world.slow.set('pi-1/main/previous', slow.promise);
	world.logs.set('pi-1/main/previous', 'first\n');
	world.logs.set('pi-1/main', 'second\n');
	const more = { lastState: world.ended(1, 'run-1'), restartCount: 1, run: 'run-2' };
	await world.report('pi-1', 'Succeeded', world.ended(0, 'run-2'), more);
	await world.finish('pi', ...DONE);
	await new Promise(setImmediate);
	assert.equal(command.stdout.text, '');
	slow.resolve();
	assert.equal((await command.ended).stdout, '[pi-1] first\n[pi-1] second\n');
});

test('run reports the cause of a missing log, unless it deletes the Pod itself', async (t) => {
	const world = await CliWorld.open(t);
	const gone = notFound({ group: '', resource: 'pods', name: 'x' });
	world.onLog = ({ query }) =>
		Promise.reject(query?.previous ? badRequest('previous terminated container "main" not found') : gone);
	const missing = startRun(world, jobManifest('pi').replace('Never', 'OnFailure'));
	await missing.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	const more = { lastState: world.ended(1, 'run-1'), restartCount: 1, run: 'run-2' };
	await world.report('pi-1', 'Succeeded', world.ended(0, 'run-2'), more);
	await missing.stderr.has(/deleted/);
	await world.finish('pi', ...DONE);
	assert.deepEqual((await missing.ended).stderr.match(/^pi-1: .*/gm), [
		'pi-1: the log of an earlier attempt of the container was removed',
		'pi-1: the Pod was deleted before its log was shown',
	]);
	const asked = Promise.withResolvers<void>();
	const answer = Promise.withResolvers<void>();
	world.onLog = () => {
		asked.resolve();
		return answer.promise;
	};
	const command = startRun(world, jobManifest('long'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('long'), 'long-1');
	await world.report('long-1', 'Running', { running: {} });
	await asked.promise;
	command.interrupt();
	answer.reject(gone);
	await command.stderr.has(/deleting/);
	await world.client.resource(pods, 'default').delete('long-1', { gracePeriodSeconds: 0 });
	assert.equal((await command.ended).stderr, 'job.batch/long created\ndeleting job.batch/long\n');
});

test('run prints why Pods wait at once, and each reason once', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	const job = await world.job('pi');
	for (const name of ['pi-1', 'pi-2']) {
		await world.createPod(job, name);
		await world.report(name, 'Pending', { waiting: { reason: 'ErrImagePull', message: 'no such image' } });
		await world.report(name, 'Pending', { waiting: { reason: 'ImagePullBackOff', message: 'Back-off' } });
	}
	await world.finish('pi', ...FAILED);
	const { code, stderr } = await command.ended;
	assert.equal(code, 1);
	assert.deepEqual(stderr.match(/pod\/pi-.*/g), [
		'pod/pi-1: main: ErrImagePull: no such image; retried with a back-off of 10s to 5m',
	]);
});

test('run prints why the server refuses Pods of the Job at once, and each reason once', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	const { uid = '' } = (await world.job('pi')).metadata;
	const report = (name: string, message: string, reason = 'FailedCreate') =>
		world.client.resource(events, 'default').create({
			...{
				apiVersion: 'v1',
				kind: 'Event',
				metadata: { name, namespace: 'default' },
				type: 'Warning',
				reason,
			},
			involvedObject: { apiVersion: 'batch/v1', kind: 'Job', name: 'pi', namespace: 'default', uid },
			...{ message, source: { component: 'job-controller' }, count: 1, eventTime: null },
			...{ firstTimestamp: null, lastTimestamp: null, reportingComponent: 'x', reportingInstance: 'y' },
		});
	await report('a', 'Error creating: pods "pi-0-" is forbidden: no quota');
	await report('b', 'Error creating: pods "pi-1-" is forbidden: no quota');
	await report('c', 'something else', 'SuccessfulCreate');
	await report('d', 'Error creating: pods "pi-" is invalid');
	await command.stderr.has(/is invalid/);
	await world.finish('pi', ...FAILED);
	assert.deepEqual((await command.ended).stderr.match(/job\/pi: .*/g), [
		'job/pi: FailedCreate: Error creating: pods "pi-0-" is forbidden: no quota',
		'job/pi: FailedCreate: Error creating: pods "pi-" is invalid',
	]);
});

test('run of a Job whose Pod the node rejects prints the reason', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	const pod = await world.createPod(await world.job('pi'), 'pi-1');
	const status = { phase: 'Failed', reason: 'PodOSNotSupported', message: 'Pod was rejected: no' } as const;
	await world.client.resource(pods, 'default').update({ ...pod, status }, 'status');
	await world.finish('pi', ...FAILED);
	const { code, stderr } = await command.ended;
	assert.equal(code, 1);
	assert.match(stderr, /^ {2}pod\/pi-1: PodOSNotSupported: Pod was rejected: no$/m);
});

test('run of several Jobs exits with 1 if any of them fails', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, `${jobManifest('a')}---\n${jobManifest('b')}`);
	await command.stderr.has(/b created/);
	await world.finish('a', ...DONE);
	await command.stderr.has(/job\/a complete/);
	await world.createPod(await world.job('b'), 'b-1');
	await world.runPod('b-1', 42);
	await world.finish('b', ...FAILED);
	assert.equal((await command.ended).code, 1);
});

test('run of a bare Pod follows it to its end', async (t) => {
	const world = await CliWorld.open(t);
	const manifest = `apiVersion: v1
kind: Pod
metadata: {name: solo}
spec:
  restartPolicy: Never
  nodeName: node
  containers: [{name: main, image: busybox}]
`;
	const command = startRun(world, manifest);
	await command.stderr.has(/pod\/solo created/);
	world.logs.set('solo/main', 'hello\n');
	await world.runPod('solo', 5);
	const { code, stdout, stderr } = await command.ended;
	assert.deepEqual([code, stdout], [5, '[solo] hello\n']);
	assert.match(stderr, /pod\/solo failed\n {2}pod\/solo: container main: exit code 5/);
});

test('run fails if the Job is deleted meanwhile', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	const { jobs } = await import('../../src/api/batch/job/definition.ts');
	await world.client.resource(jobs, 'default').delete('pi', { propagationPolicy: 'Background' });
	const { code, stderr } = await command.ended;
	assert.equal(code, 1);
	assert.match(stderr, /job\/pi was deleted\n$/);
});

test('an embedded server has the namespaces of the manifest, and is stopped at the end', async (t) => {
	const world = await CliWorld.open(t);
	world.running = false;
	const command = startRun(world, jobManifest('pi').replace('name: pi', 'name: pi\n  namespace: batch'));
	await command.stderr.has(/created/);
	assert.ok(await world.client.resource(namespaces).get('batch'));
	command.interrupt();
	assert.equal((await command.ended).code, 130);
	assert.equal(world.stopped, 1);
});

test('run does not start a server for an invalid manifest', async (t) => {
	const world = await CliWorld.open(t);
	world.running = false;
	const { code, stderr } = await startRun(world, jobManifest('pi').replace('Never', 'never')).ended;
	assert.equal(code, 1);
	assert.match(stderr, /did you mean "Never"\?/);
	assert.equal(world.stopped, 0, 'no server was started');
});

test('run does not buffer a log for a reader that does not read', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/job\.batch\/pi created/);
	const reads = Promise.withResolvers<void>();
	command.stdout.taking = reads.promise;
	let produced = 0;
	world.logPieces.set('pi-1/main', function* () {
		for (; produced < 1000; produced++) yield `line ${produced}\n`;
	});
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.runPod('pi-1', 0);
	await command.stdout.has(/line 0/);
	await world.finish('pi', ...DONE);
	assert.ok(produced < 10, `${produced} lines were fetched for a reader that does not read`);
	reads.resolve();
	const { stdout } = await command.ended;
	assert.equal(stdout.split('\n').length, 1001);
});

test('the error of a change of an immutable Job names the field, its line and the remedy', async (t) => {
	const world = await CliWorld.open(t);
	world.files.set('first.yaml', jobManifest('pi'));
	await world.run((context) => apply(context, { filename: ['first.yaml'] }));
	const { code, stderr } = await startRun(world, jobManifest('pi').replace('busybox', 'alpine')).ended;
	assert.equal(code, 1);
	assert.match(
		stderr,
		/^error: job\.yaml:7:3: Job "pi": spec\.template: Invalid value: .*field is immutable/,
	);
	assert.match(
		stderr,
		/hint: These fields of a Job cannot be changed after its creation\. Delete it first \(stint delete job\/pi\)/,
	);
});

test('run reports each failed Pod at once, with its exit code, its last log line and the time of the next attempt', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi').replace('backoffLimit: 0', 'backoffLimit: 1'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1', { tracked: true });
	world.logs.set('pi-1/main', 'trying\nno \u001b[1mluck\n');
	await world.runPod('pi-1', 3);
	await command.stderr.has(
		/^pod\/pi-1 failed: container main: exit code 3: no \^\[\[1mluck; the Job retries in 10s$/m,
	);
	await world.createPod(await world.job('pi'), 'pi-2', { tracked: true });
	await world.runPod('pi-2', 3);
	await world.finish('pi', ...FAILED);
	const { stderr } = await command.ended;
	assert.doesNotMatch(stderr, /pi-2 failed/, 'the outcome reports the last failure');
	assert.match(stderr, /pod\/pi-2: container main: exit code 3/);
});

test('run reports a failure without the log lines of an earlier attempt', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi').replace('Never', 'OnFailure'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1', { tracked: true });
	world.logs.set('pi-1/main/previous', 'hello\n');
	world.logs.set('pi-1/main', '');
	const more = { lastState: world.ended(3, 'run-1'), restartCount: 1, run: 'run-2' };
	await world.report('pi-1', 'Running', { running: {} }, more);
	await command.stderr.has(
		/^pod\/pi-1 failed: container main: exit code 3: hello; the container was restarted$/m,
	);
	world.logs.set('pi-1/main/previous', '');
	await world.report(
		'pi-1',
		'Running',
		{ running: {} },
		{
			lastState: world.ended(3, 'run-2'),
			restartCount: 2,
			run: 'run-3',
		},
	);
	await command.stderr.has(/^pod\/pi-1 failed: container main: exit code 3; the container was restarted$/m);
	await world.report('pi-1', 'Failed', world.ended(3, 'run-3'), { restartCount: 2, run: 'run-3' });
	await world.finish('pi', ...FAILED);
	assert.match((await command.ended).stderr, /exit code 3 \(after 0s, restarted 2 times\)\n$/);
});

test('run ends if the Job is deleted before the first list', async (t) => {
	const world = await CliWorld.open(t);
	world.files.set('first.yaml', jobManifest('pi'));
	await world.run((context) => apply(context, { filename: ['first.yaml'] }));
	let isDeleted = false;
	world.onRequest = ({ method, path }) => {
		// Deletes the Job after apply has found it unchanged and before the follower's first list.
		if (method !== 'GET' || !path.endsWith('/jobs') || isDeleted) return undefined;
		isDeleted = true;
		return world.client.resource(jobs, 'default').delete('pi', { propagationPolicy: 'Background' });
	};
	const { code, stderr } = await startRun(world, jobManifest('pi')).ended;
	assert.equal(code, 1);
	assert.match(stderr, /job\/pi was deleted/);
});

test('on a terminal, the status line names the image that is pulled, unless containers are programs', async (t) => {
	const world = await CliWorld.open(t);
	world.columns = 100;
	await world.createNode('programs', 'process://0.1.0');
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/job\.batch\/pi created/);
	const pod = await world.createPod(await world.job('pi'), 'pi-1');
	const { name = '', namespace = '', uid = '' } = pod.metadata;
	for (const [node, image] of [
		['programs', 'busybox'],
		['node', 'nginx:1'],
	] as const)
		await world.client.resource(events, 'default').create({
			apiVersion: 'v1',
			kind: 'Event',
			metadata: { name: `pull-on-${node}`, namespace: 'default' },
			involvedObject: { kind: 'Pod', name, namespace, uid, fieldPath: 'spec.containers{main}' },
			reason: 'Pulling',
			message: `Pulling image "${image}"`,
			reportingComponent: 'kubelet',
			reportingInstance: node,
		});
	await command.stderr.has(/job\/pi: .*, pulling nginx:1/);
	await world.runPod('pi-1', 0);
	await world.finish('pi', ...DONE);
	const { code, stderr } = await command.ended;
	assert.equal(code, 0);
	assert.doesNotMatch(stderr, /busybox/);
});
