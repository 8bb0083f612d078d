import assert from 'node:assert/strict';
import test from 'node:test';
import { pods } from '../../src/api/core/pod/definition.ts';
import { conflict, STALE_OBJECT } from '../../src/api/errors/api-error.ts';
import { apply } from '../../src/cli/commands/apply.ts';
import { deleteObjects } from '../../src/cli/commands/delete.ts';
import { CliWorld, jobManifest } from './cli-world.ts';

/**
 * apply and delete against a real API server in the process, with no controllers. The last applied
 * configuration has to equal kubectl's byte for byte: both commands may be used on the same objects, and each
 * computes its patch from what the other one has stored.
 */

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const DELETE = { filename: [], cascade: 'background', wait: true };

function applied(world: CliWorld, text: string, flags = {}) {
	world.files.set('f.yaml', text);
	return world.run((context) => apply(context, { filename: ['f.yaml'], ...flags }));
}

test('apply creates an object, leaves it unchanged, configures it, and removes fields that the manifest no longer has', async (t) => {
	const world = await CliWorld.open(t);
	const first = jobManifest('pi', '  parallelism: 1\n').replace(
		'name: pi',
		'name: pi\n  labels: {a: "1", b: "2"}',
	);
	assert.equal((await applied(world, first)).stdout, 'job.batch/pi created\n');
	assert.equal((await applied(world, first)).stdout, 'job.batch/pi unchanged\n');
	const second = first.replace('parallelism: 1', 'parallelism: 3').replace('a: "1", ', '');
	assert.equal((await applied(world, second)).stdout, 'job.batch/pi configured\n');
	const { spec, metadata } = await world.job('pi');
	assert.equal(spec.parallelism, 3);
	assert.equal(metadata.labels?.a, undefined);
	assert.equal(metadata.labels?.b, '2');
});

test('apply stores the last applied configuration byte for byte as kubectl', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, jobManifest('pi').replace('name: pi', 'name: pi\n  annotations: {note: "a <b> & c"}'));
	assert.equal(
		(await world.job('pi')).metadata.annotations?.[LAST_APPLIED],
		'{"apiVersion":"batch/v1","kind":"Job","metadata":{"annotations":{"note":"a \\u003cb\\u003e \\u0026 c"},"name":"pi","namespace":"default"},"spec":{"backoffLimit":0,"template":{"spec":{"containers":[{"image":"busybox","name":"main"}],"restartPolicy":"Never"}}}}\n',
	);
	await applied(world, jobManifest('plain'));
	assert.match(
		(await world.job('plain')).metadata.annotations?.[LAST_APPLIED] ?? '',
		/"metadata":\{"annotations":\{\},/,
	);
});

test('the error of a forbidden change names the field, its line and the remedy; --force applies it', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, jobManifest('pi'));
	const before = (await world.job('pi')).metadata.uid;
	const changed = jobManifest('pi').replace('busybox', 'alpine');
	const refused = await applied(world, changed);
	assert.equal(refused.code, 1);
	assert.equal(refused.stdout, '');
	assert.match(
		refused.stderr,
		/^error: f\.yaml:7:3: Job "pi": spec\.template: Invalid value: .*field is immutable/,
	);
	assert.match(
		refused.stderr,
		/hint: These fields of a Job cannot be changed after its creation\. Apply with --force/,
	);
	assert.ok(refused.stderr.length < 700, 'the template is not quoted in full');
	const forced = await applied(world, changed, { force: true });
	assert.deepEqual([forced.code, forced.stdout], [0, 'job.batch/pi configured\n']);
	assert.notEqual((await world.job('pi')).metadata.uid, before);
});

test('apply applies neither of two documents if one is invalid', async (t) => {
	const world = await CliWorld.open(t);
	const bad = jobManifest('bad').replace('Never', 'never');
	const { code, stdout, stderr } = await applied(world, `${jobManifest('good')}---\n${bad}`);
	assert.deepEqual([code, stdout], [1, '']);
	assert.match(stderr, /^error: nothing was sent: 1 problem in f\.yaml\nf\.yaml:22:22: Job "bad"/);
	await assert.rejects(world.job('good'), /not found/);
});

test('apply applies the other documents if the server refuses one, and names the refused one', async (t) => {
	const world = await CliWorld.open(t);
	const lost = jobManifest('lost').replace('name: lost', 'name: lost\n  namespace: nowhere');
	const { code, stdout, stderr } = await applied(world, `${lost}---\n${jobManifest('pi')}`);
	assert.equal(code, 1);
	assert.equal(stdout, 'job.batch/pi created\n');
	assert.match(
		stderr,
		/^error: f\.yaml:4:9: Job "lost": Error from server \(NotFound\): namespaces "nowhere" not found/,
	);
	assert.match(stderr, /error: not applied: job\.batch\/lost\n$/);
});

test('apply reads the object again after a conflict with another client', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, jobManifest('pi', '  parallelism: 1\n'));
	let refusals = 0;
	world.onRequest = ({ method }) => {
		if (method !== 'PATCH' || refusals === 2) return;
		refusals += 1;
		throw conflict({ group: 'batch', resource: 'jobs', name: 'pi' }, STALE_OBJECT);
	};
	const { code, stdout } = await applied(world, jobManifest('pi', '  parallelism: 2\n'));
	assert.deepEqual([code, stdout, refusals], [0, 'job.batch/pi configured\n', 2]);
});

test('apply drops a last-applied annotation in the manifest from the stored configuration', async (t) => {
	const world = await CliWorld.open(t);
	await applied(
		world,
		jobManifest('pi').replace('name: pi', `name: pi\n  annotations: {${LAST_APPLIED}: "{}"}`),
	);
	assert.doesNotMatch((await world.job('pi')).metadata.annotations?.[LAST_APPLIED] ?? '', /last-applied/);
});

test('apply creates a new object for generateName each time', async (t) => {
	const world = await CliWorld.open(t);
	const text = jobManifest('pi').replace('name: pi', 'generateName: pi-');
	const [one, two] = [await applied(world, text), await applied(world, text)];
	assert.match(one.stdout, /^job\.batch\/pi-\w{5} created\n$/);
	assert.notEqual(one.stdout, two.stdout);
});

test('apply reads folders and standard input, and reports missing files', async (t) => {
	const world = await CliWorld.open(t);
	world.files.set('dir/a.yaml', jobManifest('a'));
	world.files.set('dir/b.yaml', jobManifest('b'));
	world.stdin = jobManifest('c');
	const { stdout } = await world.run((context) => apply(context, { filename: ['dir', '-'] }));
	assert.equal(stdout, 'job.batch/a created\njob.batch/b created\njob.batch/c created\n');
	const missing = await world.run((context) => apply(context, { filename: ['gone.yaml'] }));
	assert.deepEqual([missing.code, missing.stderr], [1, 'error: the path "gone.yaml" does not exist\n']);
	const web = await world.run((context) => apply(context, { filename: ['https://example.com/x.yaml'] }));
	assert.match(web.stderr, /does not accept URLs/);
});

test('delete deletes all objects first and then waits until the last one is removed', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, `${jobManifest('pi')}---\n${jobManifest('e')}`);
	await world.createPod(await world.job('pi'), 'held');
	await world.report('held', 'Running', { running: {} });
	const command = world.start((context) => deleteObjects(context, ['pod/held', 'job/pi', 'job/e'], DELETE));
	await command.stdout.has(/"e" deleted from default namespace\n/);
	assert.equal(await Promise.race([command.ended, Promise.resolve('waiting')]), 'waiting');
	await world.client.resource(pods, 'default').delete('held', { gracePeriodSeconds: 0 });
	const { code, stdout } = await command.ended;
	assert.equal(code, 0);
	assert.equal(
		stdout,
		'pod "held" deleted from default namespace\njob.batch "pi" deleted from default namespace\njob.batch "e" deleted from default namespace\n',
	);
});

test('delete stops waiting after its timeout', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, jobManifest('pi').replace('name: pi', 'name: pi\n  finalizers: [test/hold]'));
	const command = world.start((context) =>
		deleteObjects(context, ['job', 'pi'], { ...DELETE, timeout: '5s' }),
	);
	await command.stdout.has(/deleted/);
	await new Promise(setImmediate);
	world.clock.advance(5000);
	const { code, stderr } = await command.ended;
	assert.equal(code, 1);
	assert.equal(stderr, 'error: timed out waiting for the deletion of job.batch/pi\n');
});

test('delete deletes the other objects if one does not exist, and hints at a Job of the same name', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, `${jobManifest('pi')}---\n${jobManifest('e')}`);
	const { code, stdout, stderr } = await world.run((context) =>
		deleteObjects(context, ['pod/pi', 'job/e'], DELETE),
	);
	assert.equal(code, 1);
	assert.equal(stdout, 'job.batch "e" deleted from default namespace\n');
	assert.equal(
		stderr,
		'Error from server (NotFound): pods "pi" not found\nhint: there is a Job of this name: job/pi\n',
	);
	const quiet = await world.run((context) =>
		deleteObjects(context, ['pod/pi'], { ...DELETE, ignoreNotFound: true }),
	);
	assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', '']);
	const all = await world.run((context) => deleteObjects(context, ['jobs'], { ...DELETE, all: true }));
	assert.equal(all.stdout, 'job.batch "pi" deleted from default namespace\n');
	const none = await world.run((context) => deleteObjects(context, ['jobs'], { ...DELETE, all: true }));
	assert.equal(none.stdout, 'No resources found\n');
	const unnamed = await world.run((context) => deleteObjects(context, ['jobs'], DELETE));
	assert.match(unnamed.stderr, /no name was specified/);
});

test('delete -f needs only names in its manifest', async (t) => {
	const world = await CliWorld.open(t);
	await applied(world, jobManifest('pi'));
	world.files.set('f.yaml', 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: pi}\n');
	const { stdout } = await world.run((context) =>
		deleteObjects(context, [], { ...DELETE, filename: ['f.yaml'] }),
	);
	assert.equal(stdout, 'job.batch "pi" deleted from default namespace\n');
});
