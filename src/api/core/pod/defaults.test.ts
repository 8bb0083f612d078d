import assert from 'node:assert/strict';
import test from 'node:test';
import { deepFreeze } from '../../../base/json/freeze.ts';
import { decode } from '../../schema/decode.ts';
import { defaultPod, defaultPodTemplate } from './defaults.ts';
import { type Container, type Pod, type PodSpec, podSchema } from './schema.ts';

function defaulted(spec: object): Pod {
	const json = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'a:1' }], ...spec } };
	return defaultPod(deepFreeze(decode(podSchema, json).value));
}

function container(given: object, spec: object = {}): Container {
	const { containers } = defaulted({ containers: [{ name: 'main', image: 'a:1', ...given }], ...spec }).spec;
	return containers[0] ?? { name: '' };
}

test('defaulting fills in the fields that a Pod leaves out', () => {
	const { containers: _, ...spec } = defaulted({}).spec;
	assert.deepEqual(spec, {
		restartPolicy: 'Always',
		terminationGracePeriodSeconds: 30,
		dnsPolicy: 'ClusterFirst',
		securityContext: {},
		schedulerName: 'default-scheduler',
		enableServiceLinks: true,
	});
	assert.deepEqual(container({}), {
		name: 'main',
		image: 'a:1',
		terminationMessagePath: '/dev/termination-log',
		terminationMessagePolicy: 'File',
		resources: {},
		imagePullPolicy: 'IfNotPresent',
	});
});

test('defaulting keeps the fields that a Pod sets', () => {
	const given = {
		restartPolicy: 'Never',
		terminationGracePeriodSeconds: 0,
		dnsPolicy: 'Default',
		securityContext: { runAsUser: 1000 },
		schedulerName: 'mine',
		enableServiceLinks: false,
	};
	const { containers: _, ...spec } = defaulted(given).spec;
	assert.deepEqual(spec, given);
	assert.equal(container({ imagePullPolicy: 'Never', image: 'a' }).imagePullPolicy, 'Never');
});

test('imagePullPolicy defaults to Always for the tag latest and for an image without tag and digest', () => {
	const rows: readonly (readonly [image: string, policy: string])[] = [
		['busybox', 'Always'],
		['busybox:latest', 'Always'],
		['busybox:1.36', 'IfNotPresent'],
		['registry:5000/busybox', 'Always'],
		['registry:5000/busybox:1', 'IfNotPresent'],
		['gcr.io/kuar-demo/kuard-amd64:blue', 'IfNotPresent'],
		[`busybox@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
		[`busybox:latest@sha256:${'0'.repeat(64)}`, 'Always'],
		['Not An Image', 'IfNotPresent'],
		['', 'IfNotPresent'],
	];
	for (const [image, policy] of rows) assert.equal(container({ image }).imagePullPolicy, policy, image);
});

test('requests default to the limits', () => {
	const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } };
	assert.deepEqual(container({ resources }).resources?.requests, { cpu: '500m', memory: '1Gi' });
	assert.equal(container({ resources: { requests: { cpu: '1' } } }).resources?.limits, undefined);
	const { initContainers } = defaulted({
		initContainers: [{ name: 'init', image: 'a', resources: { limits: { cpu: '1' } } }],
	}).spec;
	assert.deepEqual(initContainers?.[0]?.resources?.requests, { cpu: '1' });
	assert.deepEqual(container({ resources: { limits: { cpu: '1u' } } }).resources?.limits, { cpu: '1m' });
});

test('requests of the Pod as a whole default to the sum over its containers, else to its limits', () => {
	const containers = [
		{ name: 'a', image: 'a', resources: { requests: { cpu: '100m' } } },
		{ name: 'b', image: 'b', resources: { requests: { cpu: '200m' } } },
	];
	const { resources } = defaulted({ containers, resources: { limits: { cpu: '1', memory: '1Gi' } } }).spec;
	assert.deepEqual(resources?.requests, { cpu: '300m', memory: '1Gi' });
});

test('the protocol defaults to TCP, and with hostNetwork hostPort to containerPort', () => {
	const ports = [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', hostPort: 5353 }];
	assert.deepEqual(container({ ports }).ports, [
		{ protocol: 'TCP', containerPort: 80 },
		{ containerPort: 53, protocol: 'UDP', hostPort: 5353 },
	]);
	assert.deepEqual(
		container({ ports }, { hostNetwork: true }).ports?.map(({ hostPort }) => hostPort),
		[80, 5353],
	);
});

test('defaulting fills in apiVersion and divisor of references in environment variables', () => {
	const env = [
		{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
		{ name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
		{ name: 'C', value: 'c' },
	];
	assert.deepEqual(container({ env }).env, [
		{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
		{ name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
		{ name: 'C', value: 'c' },
	]);
});

test('defaulting treats a zero in a probe or lifecycle hook as absent', () => {
	const probe = { httpGet: { port: 80 }, periodSeconds: 0, failureThreshold: 5 };
	const full = {
		httpGet: { port: 80, path: '/', scheme: 'HTTP' },
		timeoutSeconds: 1,
		periodSeconds: 10,
		successThreshold: 1,
		failureThreshold: 5,
	};
	for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
		assert.deepEqual(container({ [field]: probe })[field], full);
	}
	assert.deepEqual(container({ readinessProbe: { grpc: { port: 80 } } }).readinessProbe?.grpc, {
		service: '',
		port: 80,
	});
	const lifecycle = { preStop: { httpGet: { port: 'http', path: '/bye' } } };
	assert.deepEqual(container({ lifecycle }).lifecycle?.preStop?.httpGet, {
		port: 'http',
		path: '/bye',
		scheme: 'HTTP',
	});
});

test('defaulting fills in the source of each kind of volume', () => {
	const rows: readonly (readonly [given: object, expected: object])[] = [
		[{}, { emptyDir: {} }],
		[{ configMap: { name: 'c' } }, { configMap: { name: 'c', defaultMode: 420 } }],
		[{ secret: { secretName: 's' } }, { secret: { secretName: 's', defaultMode: 420 } }],
		[{ secret: { secretName: 's', defaultMode: 0 } }, { secret: { secretName: 's', defaultMode: 0 } }],
		[{ hostPath: { path: '/tmp' } }, { hostPath: { path: '/tmp', type: '' } }],
		[
			{ downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
			{
				downwardAPI: {
					defaultMode: 420,
					items: [{ path: 'name', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }],
				},
			},
		],
		[
			{ projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
			{
				projected: {
					defaultMode: 420,
					sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }],
				},
			},
		],
		[{ image: { reference: 'a' } }, { image: { reference: 'a', pullPolicy: 'Always' } }],
		[{ emptyDir: { medium: 'Memory' } }, { emptyDir: { medium: 'Memory' } }],
	];
	for (const [given, expected] of rows) {
		const { volumes } = defaulted({ volumes: [{ name: 'v', ...given }] }).spec;
		assert.deepEqual(volumes, [{ name: 'v', ...expected }]);
	}
});

test('a negative grace period becomes one second in Pods but not in templates', () => {
	const given = defaulted({ terminationGracePeriodSeconds: -1 });
	assert.equal(given.spec.terminationGracePeriodSeconds, 1);
	assert.equal(defaulted({ terminationGracePeriodSeconds: 0 }).spec.terminationGracePeriodSeconds, 0);
	const template = { spec: { ...given.spec, terminationGracePeriodSeconds: -1 } };
	assert.equal(defaultPodTemplate(template).spec.terminationGracePeriodSeconds, -1);
});

test('defaulting makes podIP and the first of podIPs equal, whichever the writer sets', () => {
	const pod = defaulted({});
	const rows: readonly (readonly [given: Pod['status'], expected: Pod['status']])[] = [
		[{}, {}],
		[{ podIP: '10.0.0.1' }, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }],
		[{ podIPs: [{ ip: '10.0.0.1' }] }, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }],
		[
			{ podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fe80::1' }] },
			{ podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] },
		],
		[
			{ podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fe80::1' }] },
			{ podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fe80::1' }] },
		],
	];
	for (const [status, expected] of rows) {
		const once = defaultPod({ ...pod, status });
		assert.deepEqual(once.status, expected);
		assert.equal(defaultPod(once), once);
	}
});

test('defaulting sets serviceAccount and serviceAccountName to the same value', () => {
	const pick = ({ serviceAccount, serviceAccountName }: PodSpec): object => ({
		serviceAccount,
		serviceAccountName,
	});
	const both = { serviceAccount: 'robot', serviceAccountName: 'robot' };
	assert.deepEqual(pick(defaulted({ serviceAccountName: 'robot' }).spec), both);
	assert.deepEqual(pick(defaulted({ serviceAccount: 'robot' }).spec), both);
	assert.deepEqual(pick(defaulted({ serviceAccount: 'old', serviceAccountName: 'robot' }).spec), both);
});

test('defaulting returns a complete Pod unchanged and shares the unchanged parts of an incomplete one', () => {
	const complete = defaulted({
		serviceAccountName: 'robot',
		hostNetwork: true,
		volumes: [{ name: 'v' }, { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
		resources: { limits: { cpu: '1' } },
		initContainers: [{ name: 'init', image: 'b', ports: [{ containerPort: 80 }] }],
		ephemeralContainers: [{ name: 'look', image: 'c', targetContainerName: 'main' }],
		containers: [
			{
				name: 'main',
				image: 'a',
				env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
				livenessProbe: { httpGet: { port: 80 } },
				resources: { limits: { cpu: '1' } },
			},
		],
	});
	assert.equal(defaultPod(complete), complete);
	assert.equal(complete.spec.ephemeralContainers?.[0]?.targetContainerName, 'main');
	const { restartPolicy: _, ...spec } = complete.spec;
	assert.equal(defaultPod({ ...complete, spec }).spec.containers, complete.spec.containers);
});
