import assert from 'node:assert/strict';
import test from 'node:test';
import { pods } from '../../src/api/core/pod/definition.ts';
import { CliWorld, jobManifest } from './cli-world.ts';
import { DONE, FAILED, startRun } from './run-command.ts';

const INVALID_NAME = { waiting: { reason: 'InvalidImageName', message: 'no name' } };

/** How `stint run` ends early: interrupts, refused objects, and objects that exist already. */

test('an interrupt deletes the created objects and waits until their Pods are removed', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.report('pi-1', 'Running', { running: {} });
	command.interrupt();
	await command.stderr.has(/deleting job\.batch\/pi/);
	await new Promise(setImmediate);
	assert.equal(await Promise.race([command.ended, Promise.resolve('waiting')]), 'waiting');
	await assert.rejects(world.job('pi'), /not found/);
	// The test acts as the garbage collector and the node agent.
	await world.client.resource(pods, 'default').delete('pi-1', { gracePeriodSeconds: 0 });
	const { code, stderr } = await command.ended;
	assert.equal(code, 130);
	assert.doesNotMatch(stderr, /was deleted/);
});

test('an interrupt during the creation of objects stops it and deletes the created ones', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, `${jobManifest('a')}---\n${jobManifest('b')}`);
	world.onRequest = ({ method }) => {
		if (method === 'POST') command.interrupt();
	};
	const { code, stderr } = await command.ended;
	assert.equal(code, 130);
	assert.doesNotMatch(stderr, /b created/);
	await assert.rejects(world.job('a'), /not found/);
});

test('a second interrupt kills the remaining Pods and does not wait', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.report('pi-1', 'Running', { running: {} });
	command.interrupt('SIGTERM');
	await command.stderr.has(/deleting/);
	await new Promise(setImmediate);
	command.interrupt('SIGTERM');
	assert.equal((await command.ended).code, 143);
	await assert.rejects(world.client.resource(pods, 'default').get('pi-1'), /not found/);
});

test('the second interrupt is proposed at a terminal, and only where the first one was an interrupt', async (t) => {
	for (const by of ['SIGINT', 'SIGTERM', 'write-error'] as const) {
		const world = await CliWorld.open(t);
		world.columns = 200;
		const command = startRun(world, jobManifest('pi'));
		await command.stderr.has(/job\.batch\/pi created/);
		command.interrupt(by);
		const { code, stderr } = await command.ended;
		assert.equal(code, { SIGINT: 130, SIGTERM: 143, 'write-error': 1 }[by]);
		assert.equal(stderr.includes('interrupt again to kill its Pods at once'), by === 'SIGINT');
	}
});

test('an interrupt does not delete objects that existed before the run', async (t) => {
	const world = await CliWorld.open(t);
	const first = startRun(world, jobManifest('pi'));
	await first.stderr.has(/created/);
	const second = startRun(world, jobManifest('pi'));
	await second.stderr.has(/job\.batch\/pi unchanged/);
	second.interrupt();
	assert.equal((await second.ended).code, 130);
	assert.equal((await world.job('pi')).metadata.deletionTimestamp, undefined);
	await world.finish('pi', ...DONE);
	assert.equal((await first.ended).code, 0);
});

test('run refuses a Job that has finished already, and replaces it with --force', async (t) => {
	const world = await CliWorld.open(t);
	const first = startRun(world, jobManifest('pi'));
	await first.stderr.has(/created/);
	await world.finish('pi', ...DONE);
	await first.ended;
	const again = await startRun(world, `${jobManifest('new')}---\n${jobManifest('pi')}`).ended;
	assert.equal(again.code, 1);
	assert.match(again.stderr, /job\/pi has already finished; nothing was started\nhint: --force/);
	await assert.rejects(world.job('new'), /not found/);
	const before = (await world.job('pi')).metadata.uid;
	const forced = startRun(world, jobManifest('pi'), { force: true });
	// The test acts as the garbage collector and finishes the foreground deletion.
	await forced.stderr.has(/^/);
	for (let old = await world.job('pi'); old.metadata.uid === before; ) {
		const { jobs } = await import('../../src/api/batch/job/definition.ts');
		if (old.metadata.deletionTimestamp) {
			await world.client
				.resource(jobs, 'default')
				.update({ ...old, metadata: { ...old.metadata, finalizers: [] } });
			break;
		}
		await new Promise(setImmediate);
		old = await world.job('pi');
	}
	await forced.stderr.has(/created/);
	assert.notEqual((await world.job('pi')).metadata.uid, before);
	await world.finish('pi', ...DONE);
	assert.equal((await forced.ended).code, 0);
});

test('run deletes the objects it has created if the server refuses a later one', async (t) => {
	const world = await CliWorld.open(t);
	const lost = jobManifest('lost').replace('name: lost', 'name: lost\n  namespace: nowhere');
	const { code, stderr } = await startRun(world, `${jobManifest('pi')}---\n${lost}`).ended;
	assert.equal(code, 1);
	assert.match(
		stderr,
		/job\.yaml:17:9: Job "lost": .*namespaces "nowhere" not found\n.*\n.*\ndeleting the objects created so far\nerror: nothing was run/,
	);
	await assert.rejects(world.job('pi'), /not found/);
});

test('a run ends when an image has no name of one, and deletes what cannot end by itself', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, `${jobManifest('good')}---\n${jobManifest('bad')}`);
	await command.stderr.has(/bad created/);
	await world.createPod(await world.job('bad'), 'bad-1');
	await world.report('bad-1', 'Pending', INVALID_NAME);
	await command.stderr.has(/pod\/bad-1: main: InvalidImageName: no name\n/);
	await command.stderr.has(/job\/bad cannot succeed: its container main is never started\n/);
	await world.finish('good', ...DONE);
	const { code, stderr } = await command.ended;
	assert.equal(code, 1);
	assert.match(stderr, /job\.batch\/bad deleted\n$/);
	await assert.rejects(world.job('bad'), /not found/);
	await world.job('good');
});

test('a Job with a deadline ends by itself, whatever its images are', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi').replace('spec:', 'spec:\n  activeDeadlineSeconds: 5'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.report('pi-1', 'Pending', INVALID_NAME);
	await command.stderr.has(/InvalidImageName: no name\n/);
	await world.finish('pi', ...FAILED);
	assert.match((await command.ended).stderr, /job\/pi failed/);
	await world.job('pi');
});

test('a run that has other containers does not wait for them, and deletes nothing that may end', async (t) => {
	const world = await CliWorld.open(t);
	const command = startRun(world, jobManifest('pi'));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.report('pi-1', 'Running', { running: {} });
	await world.client.resource(pods, 'default').patchStatus('pi-1', 'merge', {
		status: {
			containerStatuses: [
				...((await world.client.resource(pods, 'default').get('pi-1')).status.containerStatuses ?? []),
				{ name: 'other', image: '', imageID: '', ready: false, restartCount: 0, state: INVALID_NAME },
			],
		},
	});
	const { code, stderr } = await command.ended;
	assert.equal(code, 1);
	assert.match(stderr, /cannot succeed: its container other is never started\n$/);
	await world.job('pi');
});
