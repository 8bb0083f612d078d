import assert from 'node:assert/strict';
import test from 'node:test';
import { pods } from '../../src/api/core/pod/definition.ts';
import { apply } from '../../src/cli/commands/apply.ts';
import { describe } from '../../src/cli/commands/describe.ts';
import { getObjects } from '../../src/cli/commands/get.ts';
import { logs } from '../../src/cli/commands/logs.ts';
import type { GetFlags } from '../../src/cli/get/query.ts';
import { CliWorld, jobManifest } from './cli-world.ts';

/**
 * get, describe and logs against a real API server in the process. The test writes the objects that
 * controllers and the node agent would write, so that every state can be shown. That the output equals
 * kubectl's is tested in test/e2e/parity.test.ts.
 */

async function worldWith(t: test.TestContext, ...names: readonly string[]): Promise<CliWorld> {
	const world = await CliWorld.open(t);
	for (const name of names) {
		world.files.set('f.yaml', jobManifest(name));
		await world.run((context) => apply(context, { filename: ['f.yaml'] }));
	}
	return world;
}

function got(world: CliWorld, words: string, flags: Partial<GetFlags> = {}) {
	return world.run((context) =>
		getObjects(context, words.split(' '), { headers: true, labelColumns: [], ...flags }),
	);
}

test('get prints a table, and a wider one with -o wide', async (t) => {
	const world = await worldWith(t, 'e', 'pi');
	assert.equal(
		(await got(world, 'jobs')).stdout,
		'NAME   STATUS    COMPLETIONS   DURATION   AGE\ne      Running   0/1                      0s\npi     Running   0/1                      0s\n',
	);
	assert.match(
		(await got(world, 'job pi', { output: 'wide' })).stdout,
		/CONTAINERS {3}IMAGES {4}SELECTOR\n.*main {9}busybox/,
	);
	assert.equal((await got(world, 'job/e', { headers: false })).stdout, 'e     Running   0/1         0s\n');
	assert.match((await got(world, 'jobs', { allNamespaces: true })).stdout, /^NAMESPACE {3}NAME/);
	assert.match((await got(world, 'jobs', { labelColumns: ['x/job-name'] })).stdout, /AGE {3}JOB-NAME\n/);
	assert.match(
		(await got(world, 'ns default', { showLabels: true })).stdout,
		/LABELS\n.*kubernetes\.io\/metadata\.name=default\n/,
	);
});

test('get prints a table for each kind, with the kind before each name', async (t) => {
	const world = await worldWith(t, 'pi');
	await world.createPod(await world.job('pi'), 'pi-1');
	const { stdout } = await got(world, 'all');
	assert.match(stdout, /^NAME +READY.*\npod\/pi-1 .*\n\nNAME +STATUS.*\njob\.batch\/pi .*\n$/);
	assert.equal((await got(world, 'pods,jobs', { output: 'name' })).stdout, 'pod/pi-1\njob.batch/pi\n');
});

test('get prints objects as YAML, JSON, by JSONPath and by custom columns', async (t) => {
	const world = await worldWith(t, 'pi');
	const yaml = (await got(world, 'job pi', { output: 'yaml' })).stdout;
	assert.match(yaml, /^apiVersion: batch\/v1\nkind: Job\nmetadata:\n {2}annotations:\n/);
	const list = JSON.parse((await got(world, 'jobs', { output: 'json' })).stdout);
	assert.deepEqual([list.kind, list.items.length, list.items[0].kind], ['List', 1, 'Job']);
	assert.equal((await got(world, 'jobs', { output: 'jsonpath={.items[*].metadata.name}' })).stdout, 'pi');
	assert.equal((await got(world, 'jobs', { output: 'custom-columns=N:.metadata.name' })).stdout, 'N\npi\n');
	assert.match((await got(world, 'jobs', { output: 'xml' })).stderr, /allowed formats are: .*yaml/);
	assert.match((await got(world, 'jobs', { output: 'jsonpath={.x' })).stderr, /unclosed action/);
});

test('get reports missing objects and prints the existing ones', async (t) => {
	const world = await worldWith(t, 'pi');
	const { code, stdout, stderr } = await got(world, 'job nope pi', { headers: false });
	assert.equal(code, 1);
	assert.match(stdout, /^pi /);
	assert.equal(stderr, 'Error from server (NotFound): jobs.batch "nope" not found\n');
	const ignored = await got(world, 'job nope', { ignoreNotFound: true });
	assert.deepEqual([ignored.code, ignored.stdout, ignored.stderr], [0, '', '']);
	assert.equal((await got(world, 'pods')).stderr, 'No resources found in default namespace.\n');
	assert.equal((await got(world, 'pods', { allNamespaces: true })).stderr, 'No resources found\n');
	assert.match((await got(world, 'foos')).stderr, /^error: the server doesn't have a resource type "foos"/);
	assert.match(
		(await got(world, 'pods', { selector: 'a in (' })).stderr,
		/^Error from server \(BadRequest\)/,
	);
});

test('get --watch prints a row for each change, under one header', async (t) => {
	const world = await worldWith(t, 'pi');
	const watch = world.start((context) =>
		getObjects(context, ['jobs'], { headers: true, labelColumns: [], watch: true, outputWatchEvents: true }),
	);
	await watch.stdout.has(/ADDED +pi /);
	// The command opens its watch in the event loop turn after it has printed the list.
	await new Promise(setImmediate);
	await world.finish('pi', 'Complete', 'CompletionsReached', 'all done');
	await watch.stdout.has(/MODIFIED +pi +Complete +1\/1/);
	assert.equal(watch.stdout.text.match(/NAME/g)?.length, 1);
	const two = await world.run((context) =>
		getObjects(context, ['jobs,pods'], { headers: true, labelColumns: [], watch: true }),
	);
	assert.match(two.stderr, /only specify a single resource type/);
});

test('describe of a failed Job shows how its Pods ended, their last log lines and the Events', async (t) => {
	const world = await worldWith(t, 'pi');
	await world.createPod(await world.job('pi'), 'pi-1');
	world.logs.set('pi-1/main', 'one\ntwo\n');
	await world.runPod('pi-1', 3);
	await world.finish('pi', 'Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
	const { stdout } = await world.run((context) => describe(context, ['job', 'p'], { showEvents: true }));
	assert.match(stdout, /^Name: {2,}pi\nNamespace: {2,}default\n/);
	assert.match(stdout, /\nPods Statuses: +0 Active \/ 0 Succeeded \/ 1 Failed\n/);
	assert.match(stdout, /\n {2}Failed +True +BackoffLimitExceeded +Job has reached/);
	assert.match(
		stdout,
		/\nFailed Pods:\n {2}pod\/pi-1: container main: exit code 3 \(after 0s\)\n {6}\| one\n {6}\| two\n/,
	);
	assert.match(stdout, /\nEvents: +<none>\n$/);
	const missing = await world.run((context) => describe(context, ['pod', 'pi'], { showEvents: true }));
	assert.equal(missing.code, 0, 'describe accepts a prefix of a name');
	const nothing = await world.run((context) => describe(context, ['pod', 'x'], { showEvents: true }));
	assert.match(nothing.stderr, /pods "x" not found/);
});

test('describe of a failed Job shows the last log lines of the attempt that failed, not of the present one', async (t) => {
	const world = await worldWith(t, 'pi');
	await world.createPod(await world.job('pi'), 'pi-1');
	world.logs.set('pi-1/main/previous', 'the cause\n');
	world.logs.set('pi-1/main', 'all is well\n');
	const more = { lastState: world.ended(1, 'run-1'), restartCount: 1, run: 'run-2' };
	await world.report('pi-1', 'Running', { running: {} }, more);
	const { stdout } = await world.run((context) => describe(context, ['job', 'pi'], { showEvents: true }));
	assert.match(stdout, /exit code 1 \(after 0s, restarted once\)\n {6}\| the cause\n/);
	assert.doesNotMatch(stdout, /all is well/);
});

test('logs of a Job prints the logs of all its Pods, each line with the name of its Pod', async (t) => {
	const world = await worldWith(t, 'pi');
	const job = await world.job('pi');
	for (const name of ['pi-1', 'pi-2']) {
		await world.createPod(job, name);
		world.logs.set(`${name}/main`, `hello from ${name}\n`);
	}
	await world.runPod('pi-1', 0);
	const waiting = await world.run((context) => logs(context, ['job/pi'], {}));
	assert.equal(waiting.code, 1);
	assert.equal(waiting.stdout, '[pod/pi-1/main] hello from pi-1\n');
	assert.match(
		waiting.stderr,
		/\[pod\/pi-2\/main\] Error from server \(BadRequest\): container "main" in pod "pi-2" is waiting/,
	);
	await world.runPod('pi-2', 0);
	const both = await world.run((context) => logs(context, ['job/pi'], {}));
	assert.equal(both.stdout, '[pod/pi-1/main] hello from pi-1\n[pod/pi-2/main] hello from pi-2\n');
	const one = await world.run((context) => logs(context, ['pi-1'], {}));
	assert.equal(one.stdout, 'hello from pi-1\n');
	const confused = await world.run((context) => logs(context, ['pi'], {}));
	assert.match(confused.stderr, /hint: there is a Job of this name: job\/pi/);
});

test('logs --all-pods prints prefixes for a single Pod too, and does not name the container that it chose', async (t) => {
	const world = await worldWith(t, 'pi');
	const job = await world.job('pi');
	const containers = [...job.spec.template.spec.containers, { name: 'other', image: 'i' }];
	const spec = { ...job.spec.template.spec, containers };
	await world.createPod({ ...job, spec: { ...job.spec, template: { ...job.spec.template, spec } } }, 'pi-1');
	await world.runPod('pi-1', 0);
	world.logs.set('pi-1/main', 'hello\n');
	const one = await world.run((context) => logs(context, ['job/pi'], {}));
	assert.deepEqual([one.stdout, one.stderr], ['hello\n', 'Defaulted container "main" out of: main, other\n']);
	const all = await world.run((context) => logs(context, ['job/pi'], { allPods: true, prefix: false }));
	assert.deepEqual([all.stdout, all.stderr], ['[pod/pi-1/main] hello\n', '']);
});

test('logs waits for the first Pod of a Job, 20 seconds or as long as its flag says', async (t) => {
	const world = await worldWith(t, 'pi');
	let watching = Promise.withResolvers<void>();
	world.onWatch = () => watching.resolve();
	const waiting = world.start((context) => logs(context, ['job/pi'], {}));
	await watching.promise;
	world.clock.advance(19_999);
	const pod = await world.createPod(await world.job('pi'), 'pi-1');
	const { code, stderr } = await waiting.ended;
	assert.equal(code, 1);
	assert.match(stderr, /container "main" in pod "pi-1" is waiting to start/);
	await world.client.resource(pods, 'default').delete(pod.metadata.name ?? '', { gracePeriodSeconds: 0 });
	for (const [flags, ms] of [
		[{}, 20_000],
		[{ podRunningTimeout: '1m5s' }, 65_000],
	] as const) {
		watching = Promise.withResolvers<void>();
		const late = world.start((context) => logs(context, ['job/pi'], flags));
		await watching.promise;
		world.clock.advance(ms);
		const ended = await late.ended;
		assert.deepEqual([ended.code, ended.stderr], [1, 'error: timed out waiting for the condition\n']);
	}
	const wrong = await world.run((context) => logs(context, ['job/pi'], { podRunningTimeout: '0s' }));
	assert.equal(wrong.stderr, 'error: --pod-running-timeout must be higher than zero\n');
});

test('logs -f of a Job follows Pods that are created later, and ends with the Job', async (t) => {
	const world = await worldWith(t, 'pi');
	const job = await world.job('pi');
	const command = world.start((context) => logs(context, ['job/pi'], { follow: true }));
	await command.stderr.has(/job\/pi has no Pods yet|^$/);
	await world.createPod(job, 'later');
	world.logs.set('later/main', 'hello\n');
	await world.runPod('later', 0);
	await command.stdout.has(/hello/);
	await world.finish('pi', 'Complete', 'CompletionsReached', 'done');
	assert.equal((await command.ended).stdout, 'hello\n');
});

test('the error of a name without a type hints at the Job or Pod of that name', async (t) => {
	const world = await worldWith(t, 'pi');
	const described = await world.run((context) => describe(context, ['pi'], { showEvents: true }));
	assert.equal(described.code, 1);
	assert.equal(
		described.stderr,
		'error: the server doesn\'t have a resource type "pi"\nhint: there is a Job of this name: job/pi\n',
	);
	assert.equal((await got(world, 'pi')).stderr, described.stderr);
	const unknown = await got(world, 'nothing-of-this-name');
	assert.doesNotMatch(unknown.stderr, /hint/);
});
