import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { buildImage } from '../../src/image/testing/image-builder.ts';
import { RegistryDouble } from '../../src/image/testing/registry-double.ts';
import { busyboxImage } from '../../src/runtime/sandbox/testing/busybox-image.ts';
import { missingForSandbox } from '../../src/runtime/sandbox/testing/sandbox-harness.ts';
import { atLevel, type StintServer, startStint } from '../support/stint-server.ts';

/** Volumes with the content of an image, and the paths that images declare as volumes, with real kubectl. */
const skip = (await missingForSandbox()) ?? false;
const registry = await RegistryDouble.start();
after(() => registry.stop());
const LEVELS = process.getuid?.() === 0 ? (['root', 'user'] as const) : (['user'] as const);

const ONE_LAYER = buildImage({
	layers: [
		[
			{ path: 'models/' },
			{ path: 'models/a', content: 'model a\n' },
			{ path: 'readme', content: 'read me\n' },
		],
	],
});
const LAYERS = buildImage({
	layers: [
		[
			{ path: 'kept', content: 'kept\n' },
			{ path: 'gone', content: 'gone\n' },
		],
		[{ path: '.wh.gone' }, { path: 'added', content: 'added\n' }],
	],
});
const BUSYBOX = `${registry.host}/busybox:1`;
const DATABASE = `${registry.host}/database:1`;

registry.add('busybox', '1', busyboxImage());
registry.add('one', '1', ONE_LAYER);
registry.add('layers', '1', LAYERS);
registry.add(
	'database',
	'1',
	busyboxImage({
		entries: [
			{ path: 'data/', uid: 1000, gid: 1000, mode: 0o750 },
			{ path: 'data/init', content: 'initial\n', uid: 1000, gid: 1000 },
		],
		config: { Env: ['PATH=/bin'], Volumes: { '/data': {}, '/cache/': {}, '/mounted': {} } },
	}),
);

/** As a user who does not own /cache. */
const DENIED = ["cat: can't open '/cache/new': No such file or directory"];

async function serverAt(t: TestContext, level: 'root' | 'user'): Promise<StintServer> {
	return await startStint(t, { ...atLevel(t, level), args: ['--runtime', 'sandbox'] });
}

async function create(server: StintServer, name: string, spec: object): Promise<void> {
	const pod = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name },
		spec: { restartPolicy: 'Never', ...spec },
	};
	const { code, stderr } = await server.kubectlWith(JSON.stringify(pod), 'create', '-f', '-');
	assert.equal(code, 0, stderr);
}

/** The output of a Pod that ends well. */
async function outputOf(server: StintServer, name: string): Promise<string> {
	const phase = '--for=jsonpath={.status.phase}=Succeeded';
	const waited = await server.kubectl('wait', phase, `pod/${name}`, '--timeout=60s');
	if (waited.code !== 0)
		assert.fail(
			`${(await server.kubectl('describe', 'pod', name)).stdout}${(await server.kubectl('logs', name)).stdout}`,
		);
	return (await server.kubectl('logs', name)).stdout;
}

function imageVolume(name: string, reference: string, more: object = {}): object {
	return { name, image: { reference: `${registry.host}/${reference}`, ...more } };
}

/** The folders of roots in the store of the server. */
function rootsOf(server: StintServer): readonly string[] {
	return readdirSync(join(server.folder, 'images/store/containers'));
}

for (const level of LEVELS) {
	test(`the content of images is mounted read-only: ${level}`, { skip }, async (t) => {
		const server = await serverAt(t, level);
		const script = [
			'cat /one/models/a /layers/kept /layers/added /a/a; ls /layers',
			'touch /one/x 2>&1; touch /layers/x 2>&1; rm /one/models/a 2>&1; exit 0',
		].join('; ');
		await create(server, 'reader', {
			containers: [
				{
					...{ name: 'c', image: BUSYBOX, command: ['sh', '-c', script] },
					volumeMounts: [
						{ name: 'one', mountPath: '/one' },
						{ name: 'layers', mountPath: '/layers' },
						{ name: 'one', mountPath: '/a', subPath: 'models' },
					],
				},
			],
			volumes: [imageVolume('one', 'one:1'), imageVolume('layers', 'layers:1', { pullPolicy: 'Always' })],
		});
		assert.deepEqual((await outputOf(server, 'reader')).split('\n'), [
			...['model a', 'kept', 'added', 'model a', 'added', 'kept'],
			...['touch: /one/x: Read-only file system', 'touch: /layers/x: Read-only file system'],
			...["rm: can't remove '/one/models/a': Read-only file system", ''],
		]);
		const { stdout } = await server.kubectl(
			'get',
			'events',
			'-o',
			'jsonpath={range .items[*]}{.involvedObject.fieldPath}|{.message}{"\\n"}{end}',
		);
		assert.match(stdout, /^\|Pulling image "\S+\/one:1"$/m);
		assert.match(stdout, /^\|Successfully pulled image "\S+\/layers:1" in /m);
		assert.match(stdout, /^spec.containers\{c\}\|Successfully pulled image "\S+\/busybox:1" in /m);
		await server.kubectl('delete', 'pod', 'reader');
		while (rootsOf(server).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
	});

	test(`what an image declares as volumes is the container's own: ${level}`, { skip }, async (t) => {
		const server = await serverAt(t, level);
		const script = [
			'cat /data/init; ls -ld /data | cut -c1-10; touch /x 2>&1; echo more >/data/init; (echo new >/cache/new) 2>/dev/null',
			'cat /data/init /cache/new 2>&1; cat /mounted/from',
		].join('; ');
		await create(server, 'declared', {
			restartPolicy: 'OnFailure',
			initContainers: [
				{
					...{ name: 'i', image: BUSYBOX, command: ['sh', '-c', 'echo the Pod >/m/from'] },
					volumeMounts: [{ name: 'm', mountPath: '/m' }],
				},
			],
			containers: [
				{
					...{ name: 'c', image: DATABASE, command: ['sh', '-c', script] },
					securityContext: { readOnlyRootFilesystem: true, ...(level === 'root' && { runAsUser: 1000 }) },
					volumeMounts: [{ name: 'm', mountPath: '/mounted' }],
				},
				{
					...{ name: 'other', image: DATABASE, command: ['sh', '-c', 'sleep 1; cat /data/init; ls /cache'] },
				},
			],
			volumes: [{ name: 'm', emptyDir: {} }],
		});
		const output = await outputOf(server, 'declared');
		assert.deepEqual(output.split('\n'), [
			...['initial', 'drwxr-x---', 'touch: /x: Read-only file system', 'more'],
			...(level === 'root' ? DENIED : ['new']),
			...['the Pod', ''],
		]);
		assert.equal((await server.kubectl('logs', 'declared', '-c', 'other')).stdout, 'initial\n');
	});
}

test('an image volume that cannot be pulled is reported as an image, and retried', { skip }, async (t) => {
	const server = await serverAt(t, LEVELS[0] ?? 'user');
	await create(server, 'missing', {
		containers: [
			{ name: 'c', image: BUSYBOX, command: ['true'], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
		],
		volumes: [imageVolume('v', 'nothing:1')],
	});
	const path = '.status.containerStatuses[0].state.waiting';
	const reason = `--for=jsonpath={${path}.reason}=ImagePullBackOff`;
	assert.equal((await server.kubectl('wait', reason, 'pod/missing', '--timeout=30s')).code, 0);
	const { stdout } = await server.kubectl('get', 'pod', 'missing', '-o', `jsonpath={${path}.message}`);
	assert.match(stdout, /^Back-off pulling image "\S+\/nothing:1": ErrImagePull: .*not found/);
	const events = (await server.kubectl('get', 'events')).stdout;
	assert.match(events, /Failed to pull image "\S+\/nothing:1"/);
	assert.match(events, /Back-off pulling image "\S+\/nothing:1"/);
	await create(server, 'never', {
		containers: [
			{ name: 'c', image: BUSYBOX, command: ['true'], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
		],
		volumes: [imageVolume('v', 'layers:1', { pullPolicy: 'Never' })],
	});
	const never = `--for=jsonpath={${path}.reason}=ErrImageNeverPull`;
	assert.equal((await server.kubectl('wait', never, 'pod/never', '--timeout=30s')).code, 0);
});

test('only a folder that the image has can be mounted by its sub-path', { skip }, async (t) => {
	const server = await serverAt(t, LEVELS[0] ?? 'user');
	for (const [name, subPath] of [
		['missing', 'no/such'],
		['file', 'readme'],
	] as const) {
		await create(server, name, {
			containers: [
				{
					...{ name: 'c', image: BUSYBOX, command: ['true'] },
					volumeMounts: [{ name: 'v', mountPath: '/v', subPath }],
				},
			],
			volumes: [imageVolume('v', 'one:1')],
		});
		const waiting = '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CreateContainerError';
		const { code } = await server.kubectl('wait', waiting, `pod/${name}`, '--timeout=30s');
		assert.equal(code, 0, (await server.kubectl('describe', 'pod', name)).stdout);
	}
	const { stdout } = await server.kubectl('get', 'events');
	assert.match(
		stdout,
		/ImageVolumeMountFailed: .*one:1": failed to ensure image subpath "no\/such": it does not exist/,
	);
	assert.match(stdout, /image subpath "readme": only directory subpath is supported/);
});

test('a runtime without images mounts none, and says so', async (t) => {
	const server = await startStint(t, { args: ['--runtime', 'process'] });
	await create(server, 'process', {
		containers: [
			{ name: 'c', image: BUSYBOX, command: ['true'], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
		],
		volumes: [imageVolume('v', 'one:1')],
	});
	const found =
		/MountVolume.SetUp failed for volume "v" : spec.volumes\[0\]: this runtime cannot mount the content of an image/;
	let events = '';
	while (!found.test(events)) events = (await server.kubectl('get', 'events')).stdout;
});
