import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { deployments } from '../../src/api/apps/deployment/definition.ts';
import type { Deployment } from '../../src/api/apps/deployment/schema.ts';
import { replicaSets } from '../../src/api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../src/api/apps/replicaset/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { controllerReferenceTo } from '../../src/api/meta/controller-reference.ts';
import { describe } from '../../src/cli/commands/describe.ts';
import { logs } from '../../src/cli/commands/logs.ts';
import { createDeployment } from '../../src/cli/create/deployment.ts';
import {
	awaitRollout,
	changeRollouts,
	rolloutHistory,
	rolloutUndo,
} from '../../src/cli/workloads/rollout.ts';
import { scale } from '../../src/cli/workloads/scale.ts';
import { setImage } from '../../src/cli/workloads/set-image.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** The commands about Deployments, with output and errors of kubectl. The test writes what controllers would. */

const REVISION = 'deployment.kubernetes.io/revision';

/** A world with the Deployment `web` of 3 Pods. */
async function openWeb(t: TestContext): Promise<CliWorld> {
	const world = await CliWorld.open(t);
	const created = await world.run((context) =>
		createDeployment(context, { names: ['web'], command: [] }, { image: ['busybox'], replicas: '3' }),
	);
	assert.equal(created.stdout, 'deployment.apps/web created\n');
	return world;
}

function webOf(world: CliWorld): Promise<Deployment> {
	return world.client.resource(deployments, 'default').get('web');
}

/** Creates the ReplicaSet of a revision, with this image. */
async function addSet(
	world: CliWorld,
	revision: number,
	image: string,
	annotations: object = {},
): Promise<ReplicaSet> {
	const web = await webOf(world);
	const hash = { 'pod-template-hash': `h${revision}` };
	const labels = { app: 'web', ...hash };
	return world.client.resource(replicaSets, 'default').create({
		apiVersion: 'apps/v1',
		kind: 'ReplicaSet',
		metadata: {
			name: `web-h${revision}`,
			labels,
			annotations: {
				[REVISION]: `${revision}`,
				'deployment.kubernetes.io/max-replicas': '4',
				...annotations,
			},
			ownerReferences: [controllerReferenceTo(web)],
		},
		spec: {
			replicas: 0,
			selector: { matchLabels: labels },
			template: { metadata: { labels }, spec: { containers: [{ name: 'busybox', image }] } },
		},
		status: { replicas: 0 },
	});
}

function errorOf({ code, stderr }: Ended): string {
	assert.equal(code, 1);
	return stderr.replace(/\n$/, '');
}

test('create deployment makes the object of kubectl', async (t) => {
	const world = await CliWorld.open(t);
	const create = (names: readonly string[], flags: object, command: readonly string[] = []): Promise<Ended> =>
		world.run((context) => createDeployment(context, { names, command }, { image: [], ...flags }));
	const dry = { dryRun: 'client', output: 'json' };
	const { stdout } = await create(
		['web'],
		{ image: ['docker.io/library/busybox:1'], port: '80', replicas: '2', ...dry },
		['sleep', '9'],
	);
	const labels = { app: 'web' };
	const container = {
		name: 'busybox',
		image: 'docker.io/library/busybox:1',
		command: ['sleep', '9'],
		ports: [{ containerPort: 80 }],
		resources: {},
	};
	assert.deepEqual(JSON.parse(stdout), {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name: 'web', labels },
		spec: {
			replicas: 2,
			selector: { matchLabels: labels },
			strategy: {},
			template: { metadata: { labels }, spec: { containers: [container] } },
		},
		status: {},
	});
	const odd = JSON.parse((await create(['x'], { image: ['a/b.c@sha256:1', 'd'], ...dry })).stdout);
	assert.match(odd.spec.template.spec.containers[0].name, /^b-c-\w{5}$/);
	assert.equal(errorOf(await create(['x'], {})), 'error: required flag(s) "image" not set');
	assert.equal(
		errorOf(await create(['x'], { image: ['a', 'b'] }, ['c'])),
		'error: cannot specify multiple --image options and command',
	);
	assert.match(
		errorOf(await create(['x'], { image: ['a'], replicas: '-1' })),
		/^error: failed to create deployment: .*spec\.replicas/,
	);
});

test('scale sets the number of Pods, with preconditions if asked', async (t) => {
	const world = await openWeb(t);
	const run = (words: readonly string[], flags: object): Promise<Ended> =>
		world.run((context) => scale(context, words, flags));
	assert.equal((await run(['deploy/web'], { replicas: '5' })).stdout, 'deployment.apps/web scaled\n');
	assert.equal((await webOf(world)).spec.replicas, 5);
	assert.equal(
		(await run(['deploy', 'web'], { replicas: '1', currentReplicas: '5' })).stdout,
		'deployment.apps/web scaled\n',
	);
	assert.equal(
		errorOf(await run(['deploy/web'], { replicas: '7', currentReplicas: '5' })),
		'error: Expected replicas to be 5, was 1',
	);
	assert.match(
		errorOf(await run(['deploy/web'], { replicas: '7', resourceVersion: '1' })),
		/^error: Expected resource version to be 1, was \d+$/,
	);
	assert.equal(
		(await run(['deploy'], { replicas: '0', selector: 'app=web' })).stdout,
		'deployment.apps/web scaled\n',
	);
	assert.equal((await webOf(world)).spec.replicas, 0);
	assert.equal(
		errorOf(await run(['deploy'], { replicas: '1' })),
		'error: resource(s) were provided, but no name was specified',
	);
	assert.equal(errorOf(await run(['rs'], { replicas: '1', all: true })), 'error: no objects passed to scale');
	assert.equal(errorOf(await run(['deploy/web'], {})), 'error: required flag(s) "replicas" not set');
	assert.equal(
		errorOf(await run(['deploy/web'], { replicas: 'x' })),
		'error: invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax\nSee \'stint scale --help\' for usage.',
	);
	assert.match(
		errorOf(await run(['deploy/web'], { replicas: '-1' })),
		/COUNT must be greater than or equal to 0$/,
	);
	assert.match(
		errorOf(await run(['deploy/none'], { replicas: '1' })),
		/^Error from server \(NotFound\): deployments\.apps "none" not found$/,
	);
});

test('rollout status prints each state until the rollout is complete', async (t) => {
	const world = await openWeb(t);
	const target = world.client.resource(deployments, 'default');
	const write = (status: object): Promise<Deployment> => target.patchStatus('web', 'merge', { status });
	const open = new Promise<void>((resolve) => {
		world.onWatch = () => resolve();
	});
	const ended = world.run((context) => awaitRollout(context, ['deploy/web'], {}));
	await open;
	const states = [
		{ observedGeneration: 1, replicas: 2, updatedReplicas: 1 },
		{ replicas: 4, updatedReplicas: 3 },
		{ replicas: 3, readyReplicas: 2, availableReplicas: 2 },
		{ readyReplicas: 3, availableReplicas: 3 },
	];
	for (const status of states) await write(status);
	const waiting = 'Waiting for deployment "web" rollout to finish:';
	assert.deepEqual((await ended).stdout.split('\n'), [
		'Waiting for deployment spec update to be observed...',
		`${waiting} 1 out of 3 new replicas have been updated...`,
		`${waiting} 1 old replicas are pending termination...`,
		`${waiting} 2 of 3 updated replicas are available...`,
		'deployment "web" successfully rolled out',
		'',
	]);
	const run = (flags: object): Promise<Ended> =>
		world.run((context) => awaitRollout(context, ['deploy/web'], flags));
	assert.equal((await run({})).stdout, 'deployment "web" successfully rolled out\n');
	assert.equal(
		errorOf(await run({ revision: '7' })),
		'error: desired revision (7) is different from the running revision (0)',
	);
	await write({ conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] });
	assert.equal(errorOf(await run({})), 'error: deployment "web" exceeded its progress deadline');
	await write({ conditions: null, availableReplicas: 1 });
	assert.equal((await run({ watch: 'false' })).code, 0);
	const waits = new Promise<void>((resolve) => {
		world.onWatch = () => resolve();
	});
	const late = run({ timeout: '5s' });
	await waits;
	world.clock.advance(5000);
	assert.equal(errorOf(await late), 'error: timed out waiting for the condition');
});

test('rollout history prints revisions and their templates, and undo restores one', async (t) => {
	const world = await openWeb(t);
	const history = (flags: object = {}): Promise<Ended> =>
		world.run((context) => rolloutHistory(context, ['deploy/web'], flags));
	const undo = (flags: object = {}): Promise<Ended> =>
		world.run((context) => rolloutUndo(context, ['deploy/web'], flags));
	assert.equal((await history()).stdout, 'deployment.apps/web \nNo rollout history found.\n');
	assert.equal(errorOf(await undo()), 'error: no rollout history found for deployment "web"');
	await addSet(world, 1, 'old', { 'kubernetes.io/change-cause': 'first', team: 'a' });
	await addSet(world, 10, 'busybox');
	await world.client
		.resource(deployments, 'default')
		.patch('web', 'merge', { metadata: { annotations: { [REVISION]: '10', gone: 'x' } } });
	assert.equal(
		(await history()).stdout,
		'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         first\n10        <none>\n\n',
	);
	const shown = (await history({ revision: '1' })).stdout;
	assert.match(
		shown,
		/^deployment\.apps\/web with revision #1\nPod Template:\n {2}Labels:\tapp=web\n\tpod-template-hash=h1\n {2}Annotations:\tkubernetes\.io\/change-cause: first\n/,
	);
	assert.equal(errorOf(await history({ revision: '2' })), 'error: unable to find the specified revision');
	assert.equal(
		errorOf(await undo({ toRevision: '2' })),
		'error: unable to find specified revision 2 in history',
	);
	assert.equal((await undo()).stdout, 'deployment.apps/web rolled back\n');
	const { metadata, spec } = await webOf(world);
	assert.equal(spec.template.spec.containers[0]?.image, 'old');
	assert.deepEqual(spec.template.metadata?.labels, { app: 'web' });
	assert.deepEqual(metadata.annotations, {
		[REVISION]: '10',
		'kubernetes.io/change-cause': 'first',
		team: 'a',
	});
	assert.equal(
		(await undo({ toRevision: '1' })).stdout,
		'deployment.apps/web skipped rollback (current template already matches revision 1)\n',
	);
});

test('rollout pause, resume and restart change the Deployment, or say why not', async (t) => {
	const world = await openWeb(t);
	const run = (change: 'pause' | 'resume' | 'restart', words = ['deploy/web']): Promise<Ended> =>
		world.run((context) => changeRollouts(context, { change, words }, {}));
	assert.equal((await run('restart')).stdout, 'deployment.apps/web restarted\n');
	assert.match(
		errorOf(await run('restart')),
		/^error: deployments\.apps "web" if restart has already been triggered/,
	);
	world.clock.advance(1000);
	assert.equal((await run('restart')).code, 0);
	assert.deepEqual((await webOf(world)).spec.template.metadata?.annotations, {
		'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:01Z',
	});
	assert.equal(errorOf(await run('resume')), 'error: deployments.apps "web" is not paused');
	assert.equal((await run('pause')).stdout, 'deployment.apps/web paused\n');
	assert.equal(errorOf(await run('pause')), 'error: deployments.apps "web" is already paused');
	assert.match(
		errorOf(await run('restart')),
		/can't restart paused deployment \(run rollout resume first\)$/,
	);
	assert.match(
		errorOf(await world.run((context) => rolloutUndo(context, ['deploy/web'], {}))),
		/^error: no rollout history found/,
	);
	assert.equal((await run('resume')).stdout, 'deployment.apps/web resumed\n');
	await addSet(world, 1, 'x');
	assert.equal(
		errorOf(await run('pause', ['rs/web-h1'])),
		'error: replicasets.apps "web-h1" pausing is not supported',
	);
	assert.equal(
		errorOf(await world.run((context) => rolloutHistory(context, ['rs/web-h1'], {}))),
		'error: no history viewer has been implemented for "ReplicaSet.apps"',
	);
});

test('set image changes the images of the named containers', async (t) => {
	const world = await openWeb(t);
	const run = (...words: readonly string[]): Promise<Ended> =>
		world.run((context) => setImage(context, words, {}));
	assert.equal((await run('deploy/web', 'busybox=b:2')).stdout, 'deployment.apps/web image updated\n');
	assert.equal((await webOf(world)).spec.template.spec.containers[0]?.image, 'b:2');
	assert.equal((await run('deploy/web', '*=b:2')).stdout, '');
	assert.equal(errorOf(await run('deploy/web', 'x=b')), 'error: unable to find container named "x"');
	assert.equal(errorOf(await run('deploy/web')), 'error: at least one image update is required');
});

test('describe shows a Deployment with its ReplicaSets, and a ReplicaSet with its Pods', async (t) => {
	const world = await openWeb(t);
	await addSet(world, 1, 'old');
	const set = await addSet(world, 2, 'busybox');
	await addPod(world, set, 'a', 'Running');
	await addPod(world, set, 'b', 'Pending');
	await world.client.resource(deployments, 'default').patchStatus('web', 'merge', {
		status: { conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }] },
	});
	const run = (word: string): Promise<Ended> =>
		world.run((context) => describe(context, [word], { showEvents: false }));
	const shown = (await run('deploy/web')).stdout;
	assert.match(shown, /^Replicas: +3 desired \| 0 updated \| 0 total \| 0 available \| 0 unavailable$/m);
	assert.match(shown, /^RollingUpdateStrategy: +25% max unavailable, 25% max surge$/m);
	assert.match(shown, /^ {2}Available +True +MinimumReplicasAvailable$/m);
	assert.match(
		shown,
		/^OldReplicaSets: +web-h1 \(0\/0 replicas created\)\nNewReplicaSet: +web-h2 \(0\/0 replicas created\)$/m,
	);
	const ofSet = (await run('rs/web-h2')).stdout;
	assert.match(
		ofSet,
		/^Controlled By: +Deployment\/web\nReplicas: +0 current \/ 0 desired\nPods Status: +1 Running \/ 1 Waiting \/ 0 Succeeded \/ 0 Failed$/m,
	);
});

async function addPod(
	world: CliWorld,
	set: ReplicaSet,
	name: string,
	phase: Pod['status']['phase'],
): Promise<void> {
	const target = world.client.resource(pods, 'default');
	await target.create({
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, labels: { app: 'web' }, ownerReferences: [controllerReferenceTo(set)] },
		spec: { nodeName: 'n', containers: [{ name: 'busybox', image: 'busybox' }] },
		status: {},
	});
	const isReady = phase === 'Running';
	const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
	const container = { name: 'busybox', state, ready: isReady, restartCount: 0, image: '', imageID: '' };
	const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
	await target.patchStatus(name, 'merge', { status: { phase, conditions, containerStatuses: [container] } });
}

test('logs of a Deployment are those of one ready Pod, or with --all-pods of all', async (t) => {
	const world = await openWeb(t);
	const set = await addSet(world, 1, 'busybox');
	await addPod(world, set, 'a', 'Pending');
	await addPod(world, set, 'b', 'Running');
	world.logs.set('a/busybox', 'from a\n');
	world.logs.set('b/busybox', 'from b\n');
	const one = await world.run((context) => logs(context, ['deploy/web'], {}));
	assert.deepEqual([one.stdout, one.stderr], ['from b\n', 'Found 2 pods, using pod/b\n']);
	const all = await world.run((context) => logs(context, ['deploy/web'], { allPods: true }));
	assert.equal(all.stdout, '[pod/a/busybox] from a\n[pod/b/busybox] from b\n');
});
