import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import { InputError, type PreparedVolume } from '../inputs/values.ts';
import { podWith } from '../testing/pod-with.ts';
import { containerConfigOf } from './container-config.ts';

const NODE = { hostIP: '10.0.0.1', podIP: '10.0.0.2', allocatable: {} };

const VOLUMES: ReadonlyMap<string, PreparedVolume> = new Map([
	['data', { hostPath: '/pods/u/data', readOnly: false }],
	['keys', { hostPath: '/pods/u/keys', readOnly: true }],
]);

/** The configuration of a container with these fields; `spec` has further fields of its Pod. */
function config(fields: object, spec: object = {}, files: object = {}): ContainerConfig {
	const pod = podWith({ ...spec, containers: [{ name: 'c', image: 'busybox', ...fields }] });
	const [container = { name: '' }] = pod.spec.containers;
	const values = { data: new Map(), volumes: VOLUMES, ...files };
	return containerConfigOf(pod, container, {
		attempt: 2,
		logPath: '/l',
		messageFile: '/m',
		node: NODE,
		services: [],
		values,
	});
}

test('the configuration has the command with its variables expanded, and the kubelet’s labels', () => {
	const made = config(
		{
			command: ['echo', '$(NAME)'],
			args: ['$(OTHER)'],
			env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
			...{ workingDir: '/w', stdin: true, stdinOnce: true, tty: true, terminationMessagePath: '/t' },
			lifecycle: { stopSignal: 'SIGUSR1' },
		},
		{ terminationGracePeriodSeconds: 5 },
	);
	assert.deepEqual([made.command, made.args], [['echo', 'p'], ['$(OTHER)']]);
	assert.deepEqual(made.env, [{ name: 'NAME', value: 'p' }]);
	assert.deepEqual([made.name, made.attempt, made.image, made.logPath], ['c', 2, 'busybox', '/l']);
	assert.deepEqual([made.workingDir, made.stdin, made.stdinOnce, made.tty], ['/w', true, true, true]);
	assert.deepEqual([made.terminationMessagePath, made.stopSignal], ['/t', 'SIGUSR1']);
	assert.equal(made.terminationMessageFile, '/m');
	assert.deepEqual(made.labels, {
		'io.kubernetes.pod.name': 'p',
		'io.kubernetes.pod.namespace': 'ns',
		'io.kubernetes.pod.uid': 'u',
		'io.kubernetes.container.name': 'c',
	});
	assert.equal(made.annotations['io.kubernetes.container.restartCount'], '2');
	assert.equal(made.annotations['io.kubernetes.pod.terminationGracePeriod'], '5');
});

test('requests and limits are numbers, by resource', () => {
	const resources = {
		requests: { cpu: '250m', memory: '1Mi' },
		limits: { cpu: '2', 'ephemeral-storage': '1Ki', 'acme.io/gpu': '1' },
	};
	assert.deepEqual(config({ resources }).resources, {
		requests: { cpuMillis: 250, memoryBytes: 1 << 20, others: {} },
		limits: { cpuMillis: 2000, ephemeralStorageBytes: 1024, others: { 'acme.io/gpu': 1 } },
	});
});

test('the security settings of a container override those of its Pod', () => {
	const securityContext = {
		...{ runAsUser: 1000, runAsGroup: 1000, runAsNonRoot: true, fsGroup: 7, supplementalGroups: [5] },
		seccompProfile: { type: 'RuntimeDefault' },
		windowsOptions: { runAsUserName: 'me', hostProcess: true },
	};
	const own = {
		...{ runAsUser: 0, runAsNonRoot: false, allowPrivilegeEscalation: false, privileged: true },
		capabilities: { drop: ['ALL'] },
		windowsOptions: { runAsUserName: 'you' },
	};
	const { security } = config({ securityContext: own }, { securityContext });
	assert.deepEqual([security.runAsUser, security.runAsGroup, security.runAsNonRoot], [0, 1000, false]);
	assert.deepEqual(security.supplementalGroups, [5, 7]);
	assert.deepEqual([security.noNewPrivileges, security.privileged], [true, true]);
	assert.deepEqual(security.capabilities, { add: [], drop: ['ALL'] });
	assert.deepEqual(security.seccompProfile, { type: 'RuntimeDefault' });
	assert.deepEqual(security.windowsOptions, { runAsUserName: 'you', hostProcess: true });
	const plain = config({}).security;
	assert.equal('runAsUser' in plain, false);
	assert.deepEqual([plain.noNewPrivileges, plain.readOnlyRootFilesystem], [false, false]);
});

test('mounts and devices name the prepared volumes, with subPathExpr expanded', () => {
	const { mounts, devices } = config({
		env: [{ name: 'PART', value: 'one' }],
		volumeMounts: [
			{ name: 'data', mountPath: '/data', subPathExpr: 'sub/$(PART)', mountPropagation: 'HostToContainer' },
			{ name: 'keys', mountPath: 'keys', subPath: 'x' },
		],
		volumeDevices: [{ name: 'data', devicePath: '/dev/x' }],
	});
	const plain = { recursiveReadOnly: 'Disabled', propagation: 'None' };
	assert.deepEqual(mounts, [
		{
			...{ hostPath: '/pods/u/data', subPath: 'sub/one', containerPath: '/data', readOnly: false },
			...{ ...plain, propagation: 'HostToContainer' },
		},
		{ hostPath: '/pods/u/keys', subPath: 'x', containerPath: '/keys', readOnly: true, ...plain },
	]);
	assert.deepEqual(devices, [{ hostPath: '/pods/u/data', containerPath: '/dev/x', readOnly: false }]);
});

test('the hosts file of the Pod is mounted after the volumes, unless one of them is at its place', () => {
	const paths = (mountPath: string) =>
		config(
			{ volumeMounts: [{ name: 'data', mountPath }] },
			{},
			{ hostsFile: '/pods/u/etc-hosts' },
		).mounts.map(({ hostPath, containerPath, readOnly }) => [hostPath, containerPath, readOnly]);
	assert.deepEqual(paths('/d'), [
		['/pods/u/data', '/d', false],
		['/pods/u/etc-hosts', '/etc/hosts', false],
	]);
	assert.deepEqual(paths('/etc/hosts'), [['/pods/u/data', '/etc/hosts', false]]);
});

test('the resolver file of the Pod is mounted likewise, read-only if the root is', () => {
	const mounted = (fields: object) =>
		config(fields, {}, { resolvConf: '/pods/u/etc-resolv-conf' }).mounts.map(
			({ hostPath, containerPath, readOnly }) => [hostPath, containerPath, readOnly],
		);
	assert.deepEqual(mounted({}), [['/pods/u/etc-resolv-conf', '/etc/resolv.conf', false]]);
	assert.deepEqual(mounted({ securityContext: { readOnlyRootFilesystem: true } }), [
		['/pods/u/etc-resolv-conf', '/etc/resolv.conf', true],
	]);
	const volumeMounts = [{ name: 'data', mountPath: '/etc/resolv.conf' }];
	assert.deepEqual(mounted({ volumeMounts }), [['/pods/u/data', '/etc/resolv.conf', false]]);
});

test('a volume is mounted before those below it, whatever their order in the Pod', () => {
	const paths = ['/a/b/c', '/a//', '/x/y', '/a/b'];
	const volumeMounts = paths.map((mountPath) => ({ name: 'data', mountPath }));
	assert.deepEqual(
		config({ volumeMounts }).mounts.map(({ containerPath }) => containerPath),
		['/a//', '/x/y', '/a/b', '/a/b/c'],
	);
});

test('a mount whose volume or sub-path cannot be resolved is an InputError', () => {
	const env = [
		{ name: 'ROOT', value: '/etc' },
		{ name: 'UP', value: '../x' },
		{ name: 'EMPTY', value: '' },
	];
	const mount = (fields: object) => ({ env, volumeMounts: [{ name: 'data', mountPath: '/d', ...fields }] });
	const wrong: readonly (readonly [object, string])[] = [
		[mount({ name: 'gone' }), 'cannot find volume "gone" to mount into container "c"'],
		[mount({ subPathExpr: '$(NONE)/$(EMPTY)' }), 'missing value for EMPTY, NONE'],
		[mount({ subPathExpr: '$(ROOT)' }), 'error SubPath `/etc` must not be an absolute path'],
		[mount({ subPathExpr: '$(UP)' }), "unable to provision SubPath `../x`: must not contain '..'"],
	];
	for (const [fields, message] of wrong) {
		assert.throws(
			() => config(fields),
			(error) => error instanceof InputError && error.message === message,
		);
	}
});
