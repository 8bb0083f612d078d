import assert from 'node:assert/strict';
import test from 'node:test';
import { MISSING_PROGRAM } from '../../src/api/contract/missing-program.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { deleteObjects } from '../../src/cli/commands/delete.ts';
import { type RunFlags, runObjects } from '../../src/cli/commands/run.ts';
import { CliWorld, jobManifest, type RunningCommand } from './cli-world.ts';
import { DONE, FAILED, FLAGS, startRun } from './run-command.ts';

/** `stint run` of a Job that flags describe, without a manifest. */

test('run does not hint at --command for another problem of an image', async (t) => {
	const world = await CliWorld.open(t);
	const run = world.start((context) => runObjects(context, ['pi'], { ...FLAGS, filename: [], image: 'a/b' }));
	await run.stderr.has(/created/);
	await world.createPod(await world.job('pi'), 'pi-1');
	await world.report('pi-1', 'Pending', {
		waiting: { reason: 'ErrImagePull', message: 'images.yaml:2:3: no' },
	});
	await run.stderr.has(/ErrImagePull: images.yaml:2:3: no; retried/);
	await world.finish('pi', ...FAILED);
	assert.doesNotMatch((await run.ended).stderr, /hint:/);
});

test('run of a Job from flags with an unknown image hints at --command', async (t) => {
	const world = await CliWorld.open(t);
	const runs = (flags: Partial<RunFlags>, ...words: readonly string[]) =>
		world.start((context) =>
			runObjects(context, words, { ...FLAGS, filename: [], image: 'busybox', ...flags }),
		);
	const fail = async (command: RunningCommand, name: string): Promise<string> => {
		await command.stderr.has(/created/);
		await world.createPod(await world.job(name), `${name}-1`);
		await world.report(`${name}-1`, 'Pending', {
			waiting: { reason: 'ErrImagePull', message: MISSING_PROGRAM },
		});
		await world.finish(name, ...FAILED);
		return (await command.ended).stderr;
	};
	const failed = await fail(runs({}, 'pi', 'sh', '-c', 'echo "$0"'), 'pi');
	assert.match(
		failed,
		/ErrImagePull: no program is configured for image; retried .*\nhint: .*: stint run pi --image=busybox --command -- sh -c 'echo "\$0"'\n/,
	);
	assert.match(await fail(runs({}, 'e'), 'e'), /stint run e --image=busybox --command -- echo hello\n/);
	assert.doesNotMatch(await fail(runs({ command: true }, 'c', 'true'), 'c'), /hint:/);
});

test('run follows a Job from name, image and arguments to its end, and only creates it with --detach', async (t) => {
	const world = await CliWorld.open(t);
	const byName = { ...FLAGS, filename: [], image: 'kuard:1' };
	const created = await world.run((context) =>
		runObjects(context, ['one', '--x'], { ...byName, detach: true }),
	);
	assert.deepEqual([created.code, created.stdout], [0, 'job.batch/one created\n']);
	assert.deepEqual((await world.job('one')).spec.template.spec.containers[0]?.args, ['--x']);
	const taken = await world.run((context) => runObjects(context, ['one'], byName));
	assert.equal(taken.stderr, 'Error from server (AlreadyExists): jobs.batch "one" already exists\n');
	const command = world.start((context) => runObjects(context, ['two'], { ...byName, stdin: true }));
	await command.stderr.has(/created/);
	await world.createPod(await world.job('two'), 'two-1');
	world.logs.set('two-1/two', 'as it is\n');
	await world.runPod('two-1', 0);
	await world.finish('two', ...DONE);
	assert.equal((await command.ended).stdout, 'as it is\n');
	const failing = world.start((context) => runObjects(context, ['three'], byName));
	await failing.stderr.has(/created/);
	await world.createPod(await world.job('three'), 'three-1', { tracked: true });
	world.logs.set('three-1/three', 'oh\n');
	await world.runPod('three-1', 9);
	await world.finish('three', ...FAILED);
	const { code, stdout } = await failing.ended;
	assert.deepEqual([code, stdout], [9, '[three-1] oh\n'], 'the same as with an embedded server');
});

test('run refuses unsupported output formats with kubectl’s message, and -o without --dry-run', async (t) => {
	const world = await CliWorld.open(t);
	const flags = { ...FLAGS, filename: [], image: 'x' };
	const printed = (output: string, dryRun = true) =>
		world.run((context) => runObjects(context, ['pi'], { ...flags, dryRun, output }));
	const wrong = await printed('xml');
	assert.equal(
		wrong.stderr,
		'error: unable to match a printer suitable for the output format "xml", allowed formats are: json,name,yaml\n',
	);
	assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
	assert.equal((await printed('name')).stdout, 'job.batch/pi\n');
	assert.equal(JSON.parse((await printed('json')).stdout).kind, 'Job');
	const runs = await printed('yaml', false);
	assert.match(runs.stderr, /^error: -o prints the Job instead of running it: add --dry-run=client\n/);
	await assert.rejects(world.job('pi'));
	const deletion = { all: false, cascade: 'background', wait: false, output: 'wide', filename: [] };
	assert.equal(
		(await world.run((context) => deleteObjects(context, ['job', 'pi'], deletion))).stderr,
		"error: unexpected -o output mode: wide. We only support '-o name'\n",
	);
});

test('run starts its server with the runtime of --runtime, else of STINT_RUNTIME, else process', async (t) => {
	const world = await CliWorld.open(t);
	world.running = false;
	const rows = [
		['process', undefined, undefined],
		['sandbox', undefined, 'sandbox'],
		['docker', 'docker', 'sandbox'],
	] as const;
	for (const [index, [, runtime, variable]] of rows.entries()) {
		if (variable) world.variables.set('STINT_RUNTIME', variable);
		const flags = runtime === undefined ? {} : { runtime };
		const run = startRun(world, jobManifest(`run-${index}`), flags);
		await run.stderr.has(/created/);
		await world.finish(`run-${index}`, ...DONE);
		assert.doesNotMatch((await run.ended).stderr, /Warning/);
	}
	assert.deepEqual(
		world.startedRuntimes,
		rows.map(([expected]) => expected),
	);
	const { code, stderr } = await startRun(world, jobManifest('bad'), { runtime: 'vm' }).ended;
	assert.equal(code, 1);
	assert.match(stderr, /^error: --runtime: there is no runtime "vm"; use auto, /);
});

test('run warns of a runtime that the running server does not follow', async (t) => {
	const world = await CliWorld.open(t);
	const warning = async (name: string, flags: Partial<RunFlags>): Promise<string> => {
		const run = startRun(world, jobManifest(name), { ...flags, detach: flags.detach ?? false });
		if (!flags.detach) {
			await run.stderr.has(/created/);
			await world.finish(name, ...DONE);
		}
		return (await run.ended).stderr.split('\n')[0] ?? '';
	};
	const text = 'has no effect: the running server decides the runtime';
	const remedy = '; to run on a server of its own: --embedded';
	assert.doesNotMatch(await warning('none', {}), /Warning/);
	assert.equal(await warning('flag', { runtime: 'fake' }), `Warning: --runtime ${text}${remedy}`);
	world.variables.set('STINT_RUNTIME', 'sandbox');
	assert.equal(await warning('variable', {}), `Warning: STINT_RUNTIME ${text}${remedy}`);
	assert.equal(await warning('detached', { detach: true }), `Warning: STINT_RUNTIME ${text}`);
	await world.createNode('node', 'sandbox://0.1.0');
	assert.doesNotMatch(await warning('same', {}), /Warning/);
	assert.equal(await warning('other', { runtime: 'process' }), `Warning: --runtime ${text}${remedy}`);
	world.variables.set('STINT_RUNTIME', 'docker');
	await world.createNode('second', 'podman://5.0.0');
	assert.equal(await warning('mixed', {}), `Warning: STINT_RUNTIME ${text}${remedy}`);
	await world.client.resource(nodes).delete('node');
	assert.doesNotMatch(await warning('podman', {}), /Warning/);
	world.variables.set('STINT_RUNTIME', 'docker=/run/docker.sock');
	assert.equal(await warning('socket', {}), `Warning: STINT_RUNTIME ${text}${remedy}`);
	assert.deepEqual(world.startedRuntimes, []);
});

test('run refuses --detach without a running server, and accepts it with a manifest', async (t) => {
	const world = await CliWorld.open(t);
	const detached = await startRun(world, jobManifest('pi'), { detach: true }).ended;
	assert.deepEqual([detached.code, detached.stdout], [0, 'job.batch/pi created\n']);
	world.running = false;
	const refused = await startRun(world, jobManifest('pi'), { detach: true }).ended;
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /--detach requires a running server; start one with: stint server/);
	assert.equal(world.stopped, 0, 'no server was started for it');
});

test('--dry-run prints the manifest of the Job from flags', async (t) => {
	const world = await CliWorld.open(t);
	const flags = { ...FLAGS, filename: [], image: 'x', dryRun: true };
	const { stdout } = await world.run((context) => runObjects(context, ['one'], flags));
	assert.match(
		stdout,
		/^apiVersion: batch\/v1\nkind: Job\nmetadata:\n {2}labels:\n {4}run: one\n {2}name: one\nspec:/,
	);
	assert.doesNotMatch(stdout, /status|uid/);
	await assert.rejects(world.job('one'), /not found/);
});

test('run reports arguments that give nothing to run', async (t) => {
	const world = await CliWorld.open(t);
	const nothing = await world.run((context) => runObjects(context, [], { ...FLAGS, filename: [] }));
	assert.match(nothing.stderr, /nothing to run/);
	const both = await world.run((context) => runObjects(context, ['x'], FLAGS));
	assert.match(both.stderr, /either -f or a name/);
	const noJob = await startRun(world, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n').ended;
	assert.match(noJob.stderr, /no Job or Pod to run/);
});
