import assert from 'node:assert/strict';
import { chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { RegistryDouble } from '../../src/image/testing/registry-double.ts';
import { busyboxImage } from '../../src/runtime/sandbox/testing/busybox-image.ts';
import { missingForSandbox } from '../../src/runtime/sandbox/testing/sandbox-harness.ts';
import { atLevel, type StintServer, startStint, UNPRIVILEGED_ID } from '../support/stint-server.ts';

/**
 * Jobs whose images are pulled from a registry and run without an engine, with real kubectl: as root, and as an ordinary
 * user with one id.
 */
const missing = await missingForSandbox();
const skip = missing ?? false;
const registry = await RegistryDouble.start();
after(() => registry.stop());

const PRIVATE = { kind: 'basic', user: 'ann', password: 'secret' } as const;
const LEVELS = process.getuid?.() === 0 ? (['root', 'user'] as const) : (['user'] as const);

function fill(): void {
	registry.add('library/busybox', 'latest', busyboxImage());
	registry.add(
		'app',
		'1',
		busyboxImage({
			entries: [
				{ path: 'etc/.wh.group' },
				{ path: 'app/' },
				{ path: 'app/run', content: '#!/bin/sh\necho "$0 $* $COLOUR $(pwd) $(id -u)"\n', mode: 0o755 },
			],
			config: {
				...{ Entrypoint: ['/app/run'], Cmd: ['one', 'two'], Env: ['PATH=/bin', 'COLOUR=red'] },
				...{ User: 'app', WorkingDir: '/app' },
			},
		}),
	);
	registry.add(
		'links',
		'1',
		busyboxImage({
			entries: [
				{ path: 'etc/resolv.conf', to: '../run/resolve/stub.conf' },
				{ path: 'var/run', to: '/run' },
				{ path: 'escape', to: '../../../../tmp/stint-escape' },
				{ path: 'open', to: '/proc/self/fd' },
			],
		}),
	);
	registry.add('nothing', '1', busyboxImage({ config: { Env: [] } }));
}

/** A server whose docker.io is the registry of the test. */
async function serverAt(t: TestContext, level: 'root' | 'user'): Promise<StintServer> {
	const options = atLevel(t, level);
	const mirror = `mirrors: {docker.io: {endpoint: ["http://${registry.host}"]}}\n`;
	const path = join(options.folder, 'registries.yaml');
	writeFileSync(path, mirror);
	if (options.under) chownSync(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
	return await startStint(t, { ...options, args: ['--runtime', 'sandbox'] });
}

/** Creates a Pod, and returns its name. */
async function pod(server: StintServer, name: string, container: object, spec: object = {}): Promise<string> {
	const manifest = {
		...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
		spec: { restartPolicy: 'Never', ...spec, containers: [{ name: 'c', ...container }] },
	};
	const { code, stderr } = await server.kubectlWith(JSON.stringify(manifest), 'create', '-f', '-');
	assert.equal(code, 0, stderr);
	return name;
}

/** The output of a Pod that ends well. */
async function outputOf(server: StintServer, name: string): Promise<string> {
	const phase = '--for=jsonpath={.status.phase}=Succeeded';
	const waited = await server.kubectl('wait', phase, `pod/${name}`, '--timeout=60s');
	if (waited.code !== 0) assert.fail((await server.kubectl('describe', 'pod', name)).stdout);
	return (await server.kubectl('logs', name)).stdout;
}

/** The reason for which the container of a Pod waits, once it is this one, and its message. */
async function waiting(server: StintServer, name: string, reason: string): Promise<string> {
	const path = '.status.containerStatuses[0].state.waiting';
	const waited = await server.kubectl(
		...['wait', `--for=jsonpath={${path}.reason}=${reason}`, `pod/${name}`, '--timeout=60s'],
	);
	if (waited.code !== 0) assert.fail((await server.kubectl('describe', 'pod', name)).stdout);
	return (await server.kubectl('get', 'pod', name, '-o', `jsonpath={${path}.message}`)).stdout;
}

for (const level of LEVELS) {
	test(`an image is pulled and run: ${level}`, { skip }, async (t) => {
		fill();
		const server = await serverAt(t, level);
		const app = `${registry.host}/app:1`;
		const names = await Promise.all([
			pod(server, 'all', { image: app }),
			pod(server, 'args', { image: app, args: ['three'], env: [{ name: 'COLOUR', value: 'blue' }] }),
			pod(server, 'layers', { image: app, command: ['ls', '/etc'] }),
			pod(server, 'hub', {
				image: 'busybox',
				command: ['sh', '-c', 'echo $$$$; hostname; touch /x && echo ok'],
			}),
			pod(server, 'user', { image: 'busybox', command: ['id', '-u'], securityContext: { runAsUser: 1234 } }),
			pod(
				server,
				'root',
				{
					...{
						image: 'busybox',
						command: ['sh', '-c', 'touch /x 2>/dev/null || echo ro; touch /v/x && echo rw'],
					},
					...{
						securityContext: { readOnlyRootFilesystem: true },
						volumeMounts: [{ name: 'v', mountPath: '/v' }],
					},
				},
				{ volumes: [{ name: 'v', emptyDir: {} }] },
			),
		]);
		const [all, args, layers, hub, user, root] = await Promise.all(
			names.map((name) => outputOf(server, name)),
		);
		assert.equal(all, '/app/run one two red /app 1000\n');
		assert.equal(args, '/app/run three blue /app 1000\n');
		assert.deepEqual(layers?.split('\n').includes('group'), false);
		assert.equal(hub, '1\nhub\nok\n');
		assert.equal(user, '1234\n');
		assert.equal(root, 'ro\nrw\n');
		const status = await server.kubectl(
			'get',
			'pod',
			'hub',
			'-o',
			'jsonpath={.status.containerStatuses[0].imageID}',
		);
		assert.match(status.stdout, /^docker\.io\/library\/busybox@sha256:[0-9a-f]{64}$/);
	});

	test(`the containers of a Pod share its resolver file: ${level}`, { skip }, async (t) => {
		const server = await serverAt(t, level);
		const look = { image: 'busybox', command: ['sh', '-c', 'cat /etc/resolv.conf'] };
		const change = { ...look, name: 'i', command: ['sh', '-c', 'echo "# changed" >> /etc/resolv.conf'] };
		const dnsConfig = {
			nameservers: ['192.0.2.7', '192.0.2.8', '192.0.2.9'],
			searches: Array.from({ length: 32 }, (_, index) => `s${index}.example`),
		};
		await pod(server, 'given', look, { dnsPolicy: 'None', dnsConfig, initContainers: [change] });
		const servers = dnsConfig.nameservers.map((address) => `nameserver ${address}\n`).join('');
		const text = `search ${dnsConfig.searches.join(' ')}\n${servers}# changed\n`;
		assert.equal(await outputOf(server, 'given'), text);
		await pod(server, 'added', look, {
			dnsConfig: { nameservers: dnsConfig.nameservers.map((address) => `${address}0`) },
		});
		const own = readFileSync('/etc/resolv.conf', 'utf8').match(/^nameserver .*$/gm) ?? [];
		const expected = [...own, ...['nameserver 192.0.2.70', 'nameserver 192.0.2.80', 'nameserver 192.0.2.90']];
		const output = await outputOf(server, 'added');
		assert.deepEqual(output.match(/^nameserver .*$/gm), expected.slice(0, 3));
		const events = await server.kubectl('get', 'events', '--field-selector=reason=DNSConfigForming');
		const isCut = own.length > 0;
		assert.equal(/pod\/added .*Nameserver limits were exceeded/.test(events.stdout), isCut);
		assert.doesNotMatch(events.stdout, /pod\/given/);
	});

	test(`commands run in the container's root, and nothing of it is left: ${level}`, { skip }, async (t) => {
		fill();
		const server = await serverAt(t, level);
		await pod(server, 'p', { image: `${registry.host}/app:1`, command: ['sleep', '1000'] });
		await server.kubectl('wait', '--for=condition=Ready', 'pod/p', '--timeout=60s');
		const { stdout } = await server.kubectl(
			'exec',
			'p',
			'--',
			'sh',
			'-c',
			'id -u; ls /; echo out > /tmp/f; cat /proc/1/cmdline',
		);
		assert.match(stdout, /^1000\napp\nbin\ndev\n/);
		assert.match(stdout, /sleep\0/);
		const containers = join(server.folder, 'images/store/containers');
		assert.equal(readdirSync(containers).length, 1);
		await server.kubectl('delete', 'pod', 'p', '--grace-period=1');
		assert.deepEqual(readdirSync(containers), []);
		assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(server.folder));
	});
}

test('paths of a container stay inside its root', { skip }, async (t) => {
	fill();
	const server = await serverAt(t, LEVELS[0] ?? 'user');
	const mounts = [
		{ name: 'v', mountPath: '/escape/deep' },
		{ name: 'v', mountPath: '/var/run/here' },
	];
	const image = `${registry.host}/links:1`;
	const script = 'test -f /run/resolve/stub.conf && ls -d /run/here /tmp/stint-escape/deep';
	const volumes = { volumes: [{ name: 'v', emptyDir: {} }] };
	await pod(server, 'links', { image, command: ['sh', '-c', script], volumeMounts: mounts }, volumes);
	assert.equal(await outputOf(server, 'links'), '/run/here\n/tmp/stint-escape/deep\n');
	assert.ok(!existsSync('/tmp/stint-escape'));
	// What the shim has open while it builds the container: the root of the machine is among it.
	const numbers = Array.from({ length: 12 }, (_, index) => index + 6);
	for (const number of numbers) {
		const mount = { name: 'v', mountPath: `/open/${number}/tmp/stint-escape` };
		await pod(server, `open-${number}`, { image, command: ['true'], volumeMounts: [mount] }, volumes);
	}
	for (const number of numbers)
		await server.kubectl(
			'wait',
			'--for=jsonpath={.status.phase}=Failed',
			`pod/open-${number}`,
			'--timeout=60s',
		);
	assert.ok(!existsSync('/tmp/stint-escape'));
	// A directory of the machine, or of another container, must not be entered with the rights of the shim.
	const outside = { image: 'busybox', command: ['pwd'], workingDir: '/proc/1/root' };
	await pod(server, 'outside', outside, { hostPID: true });
	await server.kubectl('wait', '--for=jsonpath={.status.phase}=Failed', 'pod/outside', '--timeout=60s');
	const path = 'jsonpath={.status.containerStatuses[0].state.terminated.reason}';
	assert.equal((await server.kubectl('get', 'pod', 'outside', '-o', path)).stdout, 'StartError');
	await pod(
		server,
		'proc',
		{ image: 'busybox', command: ['true'], volumeMounts: [{ name: 'v', mountPath: '/proc/x' }] },
		volumes,
	);
	const inside = await waiting(server, 'proc', 'CreateContainerError');
	assert.equal(inside, '"/proc/x" cannot be mounted because it is inside /proc');
});

test('failures have the messages of a kubelet and of containerd', { skip }, async (t) => {
	fill();
	const server = await serverAt(t, LEVELS[0] ?? 'user');
	const { host } = registry;
	await pod(server, 'missing', { image: `${host}/nope:1` });
	await pod(server, 'invalid', { image: 'UPPER:::bad' });
	await pod(server, 'never', { image: `${host}/app:2`, imagePullPolicy: 'Never' });
	await pod(server, 'nonroot', {
		image: 'busybox',
		command: ['id'],
		securityContext: { runAsNonRoot: true },
	});
	await pod(server, 'named', { image: `${host}/app:1`, securityContext: { runAsNonRoot: true } });
	await pod(server, 'empty', { image: `${host}/nothing:1` });
	const failed = `failed to pull and unpack image "${host}/nope:1": failed to resolve reference "${host}/nope:1": ${host}/nope:1: not found`;
	assert.ok((await waiting(server, 'missing', 'ImagePullBackOff')).includes(failed));
	assert.match(
		await waiting(server, 'invalid', 'InvalidImageName'),
		/couldn't parse image name "UPPER:::bad"/,
	);
	assert.match(
		await waiting(server, 'never', 'ErrImageNeverPull'),
		/is not present with pull policy of Never$/,
	);
	assert.match(
		await waiting(server, 'nonroot', 'CreateContainerConfigError'),
		/^container has runAsNonRoot and image will run as root \(pod: "nonroot_default\(.*\)", container: c\)$/,
	);
	assert.match(
		await waiting(server, 'named', 'CreateContainerConfigError'),
		/^container has runAsNonRoot and image has non-numeric user \(app\), cannot verify user is non-root /,
	);
	assert.match(await waiting(server, 'empty', 'CreateContainerError'), /no command specified$/);
	await pod(server, 'program', { image: 'busybox', command: ['/nope'] });
	await server.kubectl('wait', '--for=jsonpath={.status.phase}=Failed', 'pod/program', '--timeout=60s');
	const path = 'jsonpath={.status.containerStatuses[0].state.terminated}';
	const ended = JSON.parse((await server.kubectl('get', 'pod', 'program', '-o', path)).stdout);
	assert.deepEqual([ended.exitCode, ended.reason], [128, 'StartError']);
	assert.match(ended.message, /exec: "\/nope": stat \/nope: no such file or directory/);
});

test('a private image needs the Secret of the Pod, also when it is present', { skip }, async (t) => {
	fill();
	const server = await serverAt(t, LEVELS[0] ?? 'user');
	registry.auth = PRIVATE;
	try {
		const image = `${registry.host}/app:1`;
		await pod(server, 'without', { image });
		await waiting(server, 'without', 'ImagePullBackOff');
		const config = { auths: { [registry.host]: { username: PRIVATE.user, password: PRIVATE.password } } };
		const secret = {
			...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } },
			...{
				type: 'kubernetes.io/dockerconfigjson',
				stringData: { '.dockerconfigjson': JSON.stringify(config) },
			},
		};
		await server.kubectlWith(JSON.stringify(secret), 'create', '-f', '-');
		const withKey = { imagePullSecrets: [{ name: 'key' }] };
		assert.equal(
			await outputOf(server, await pod(server, 'with', { image }, withKey)),
			'/app/run one two red /app 1000\n',
		);
		await pod(server, 'later', { image });
		await waiting(server, 'later', 'ImagePullBackOff');
		const { stdout } = await server.kubectl('get', 'events', '-o', 'json');
		assert.ok(!stdout.includes(PRIVATE.password));
	} finally {
		registry.auth = { kind: 'none' };
	}
});

test('stint images works beside the server, which uses what it pulls and keeps what it needs', {
	skip,
}, async (t) => {
	fill();
	const server = await serverAt(t, LEVELS[0]);
	const app = `${registry.host}/app:1`;
	const images = (...args: readonly string[]) => server.stint('images', '--data-dir', server.folder, ...args);
	assert.equal((await images('pull', '-q', app)).stdout, `${app}\n`);
	await pod(server, 'p', { image: app, imagePullPolicy: 'Never', command: ['sleep', '1000'] });
	await server.kubectl('wait', '--for=condition=Ready', 'pod/p', '--timeout=60s');
	assert.match((await images('ls')).stdout, /\/app +1 +\w{12} +\S+ +\S+ ago +yes\n/);
	const refused = await images('rm', app);
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /must force\) - container \S+ is using its referenced image/);
	assert.equal((await images('rm', '-f', app)).stdout, `Untagged: ${app}\n`);
	assert.equal((await images('prune', '--all')).stdout, 'Total reclaimed space: 0B\n');
	assert.equal((await server.kubectl('exec', 'p', '--', 'cat', '/app/run')).code, 0);
	await server.kubectl('delete', 'pod', 'p', '--grace-period=1');
	assert.match(
		(await images('prune')).stdout,
		/^Deleted Images:\ndeleted: sha256:\w+\n\nTotal reclaimed space: [\d.]+[kM]?B\n$/,
	);
});
