import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, Pod } from '../../../api/core/pod/schema.ts';
import { type InputData, InputError } from '../inputs/values.ts';
import { podWith } from '../testing/pod-with.ts';
import { Expansion, environmentOf } from './environment.ts';

const FACTS = { hostIP: '10.0.0.1', podIP: '10.0.0.2', allocatable: { cpu: '4', memory: '8Gi' } };

function environment(env: readonly object[], more: object = {}): Record<string, string> {
	const container = { name: 'main', env, ...more } as unknown as Container;
	const pod = {
		metadata: {
			name: 'p',
			namespace: 'ns',
			uid: 'u',
			labels: { app: 'x' },
			annotations: { 'a.b/c': 'note' },
		},
		spec: { nodeName: 'here', containers: [container] },
	} as unknown as Pod;
	const how = { facts: FACTS, expansion: new Expansion(), services: [], values: undefined };
	return Object.fromEntries(environmentOf(pod, container, how).map(({ name, value }) => [name, value]));
}

test('$(NAME) expands to an earlier variable, $$ to a dollar, and an unknown name stays as written', () => {
	const values = new Map([['A', '1']]);
	assert.equal(new Expansion().expand('$(A) $(B) $$(A) $A $$ $', values), '1 $(B) $(A) $A $ $');
	assert.deepEqual(
		environment([
			{ name: 'A', value: 'a' },
			{ name: 'B', value: '$(A)$(C)' },
			{ name: 'C', value: 'c' },
		]),
		{ A: 'a', B: 'a$(C)', C: 'c' },
	);
});

test('fieldRef resolves to fields of the Pod and addresses', () => {
	const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
	assert.deepEqual(
		environment([
			field('NAME', 'metadata.name'),
			field('APP', "metadata.labels['app']"),
			field('NOTE', "metadata.annotations['a.b/c']"),
			field('NODE', 'spec.nodeName'),
			field('IP', 'status.podIP'),
			field('HOST', 'status.hostIP'),
		]),
		{ NAME: 'p', APP: 'x', NOTE: 'note', NODE: 'here', IP: '10.0.0.2', HOST: '10.0.0.1' },
	);
});

test('resourceFieldRef resolves to units of the divisor, rounded up, and a missing limit to the allocatable quantity', () => {
	const resource = (name: string, what: string, divisor = '0') => ({
		name,
		valueFrom: { resourceFieldRef: { resource: what, divisor } },
	});
	const resources = { requests: { cpu: '1500m', memory: '64Mi' }, limits: { memory: '128Mi' } };
	assert.deepEqual(
		environment(
			[
				resource('CPU', 'requests.cpu'),
				resource('MILLI', 'requests.cpu', '1m'),
				resource('MEMORY', 'limits.memory', '1Mi'),
				resource('ALL', 'limits.cpu'),
			],
			{ resources },
		),
		{ CPU: '2', MILLI: '1500', MEMORY: '128', ALL: '4' },
	);
});

test('an optional ConfigMap or Secret that does not exist defines no variable', () => {
	const key = { name: 'settings', key: 'a', optional: true };
	const env = [
		{ name: 'A', valueFrom: { configMapKeyRef: key } },
		{ name: 'B', valueFrom: { secretKeyRef: key } },
		{ name: 'C', value: '[$(A)]' },
	];
	assert.deepEqual(environment(env, { envFrom: [{ configMapRef: { name: 'settings', optional: true } }] }), {
		C: '[$(A)]',
	});
});

test('the expansion of variables that refer to one another is bounded', () => {
	const doublings = Array.from({ length: 40 }, (_, index) => ({
		name: `A${index + 1}`,
		value: `$(A${index})$(A${index})`,
	}));
	const tooLong = /^Error: argument list too long/;
	assert.throws(() => environment([{ name: 'A0', value: 'x'.repeat(100) }, ...doublings]), tooLong);
	const expansion = new Expansion();
	const values = new Map([['A', 'x'.repeat(400_000)]]);
	assert.throws(() => Array.from({ length: 1000 }, () => expansion.expand('$(A)', values)), tooLong);
	const startedMs = performance.now();
	assert.equal(new Expansion().expand('$('.repeat(500_000), values).length, 1_000_000);
	assert.ok(performance.now() - startedMs < 2000, 'it is quadratic');
	assert.equal(new Expansion().expand('$( $$(A) $(A $$', new Map([['A', '1']])), '$( $$(A) $(A $');
});

const SETTINGS = new Map<string, string | Uint8Array>([
	['A', 'a'],
	['B', 'b'],
	['BINARY', new Uint8Array([1])],
]);
const LOGIN = new Map([
	['A', new TextEncoder().encode('a')],
	['B', new TextEncoder().encode('b')],
]);
const ENV_FILES = new Map([
	['config/app.env', { path: '/pods/u/config/app.env', text: "A='from file'\nEMPTY=''\nbroken" }],
	['config/none', { path: '/pods/u/config/none', text: undefined }],
]);
const VOLUMES = new Map([['config', { hostPath: '/pods/u/config', readOnly: false }]]);

const SERVICES = [
	{ name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' },
	{ name: 'KUBERNETES_SERVICE_PORT', value: '6443' },
];

/** The environment of a container on a node where the ConfigMap `settings` and the Secret `login` exist. */
function withObjects(container: object): Record<string, string> {
	const named = { name: 'main', ...container } as unknown as Container;
	const values = {
		data: new Map<string, InputData>([
			['configMap/settings', SETTINGS],
			['secret/login', LOGIN],
		]),
		volumes: VOLUMES,
		envFiles: ENV_FILES,
	};
	const sources = { facts: FACTS, expansion: new Expansion(), services: SERVICES, values };
	const variables = environmentOf(podWith({ containers: [named] }), named, sources);
	const {
		KUBERNETES_SERVICE_HOST: host,
		KUBERNETES_SERVICE_PORT: port,
		...own
	} = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
	assert.ok(host !== undefined && port !== undefined);
	return own;
}

test('the variables of Services can be used and overridden', () => {
	const container = {
		name: 'main',
		env: [
			{ name: 'URL', value: 'https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)' },
			{ name: 'KUBERNETES_SERVICE_PORT', value: '1' },
		],
	} as unknown as Container;
	const sources = { facts: FACTS, expansion: new Expansion(), services: SERVICES, values: undefined };
	assert.deepEqual(environmentOf(podWith({ containers: [container] }), container, sources), [
		{ name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' },
		{ name: 'KUBERNETES_SERVICE_PORT', value: '1' },
		{ name: 'URL', value: 'https://127.0.0.1:6443' },
	]);
});

test('envFrom defines a variable for each key, with the prefix, which env can use and override', () => {
	const envFrom = [{ configMapRef: { name: 'settings' } }, { prefix: 'X_', secretRef: { name: 'login' } }];
	const env = [
		{ name: 'B', value: '[$(A)]' },
		{ name: 'C', valueFrom: { secretKeyRef: { name: 'login', key: 'B' } } },
		{ name: 'D', valueFrom: { configMapKeyRef: { name: 'gone', key: 'B', optional: true } } },
		{ name: 'E', valueFrom: { configMapKeyRef: { name: 'settings', key: 'Z', optional: true } } },
	];
	assert.deepEqual(withObjects({ envFrom, env }), { A: 'a', B: '[a]', X_A: 'a', X_B: 'b', C: 'b' });
});

test('fileKeyRef takes a variable from a file of a volume', () => {
	const from = (key: string, more: object = {}) => ({
		env: [{ name: 'V', valueFrom: { fileKeyRef: { volumeName: 'config', path: 'app.env', key, ...more } } }],
	});
	assert.deepEqual(withObjects(from('A')), { V: 'from file' });
	assert.deepEqual(withObjects(from('EMPTY', { optional: true })), {});
	const wrong: readonly (readonly [object, string])[] = [
		[from('EMPTY'), 'environment variable key "EMPTY" not found in file "/pods/u/config/app.env"'],
		[from('Z', { optional: true }), "couldn't parse env file"],
		[from('A', { path: 'none', optional: true }), "couldn't parse env file"],
		[from('A', { volumeName: 'gone' }), 'cannot find the volume "gone" referenced by FileKeyRef'],
	];
	for (const [container, message] of wrong) {
		assert.throws(
			() => withObjects(container),
			(error) => error instanceof InputError && error.message === message,
		);
	}
});

test('a required object or key that does not exist has upstream’s message', () => {
	const one = (valueFrom: object) => ({ env: [{ name: 'V', valueFrom }] });
	const wrong: readonly (readonly [object, string])[] = [
		[{ envFrom: [{ configMapRef: { name: 'x' } }] }, 'configmap "x" not found'],
		[{ envFrom: [{ secretRef: { name: 'x' } }] }, 'secret "x" not found'],
		[one({ configMapKeyRef: { name: 'x', key: 'k' } }), 'configmap "x" not found'],
		[one({ secretKeyRef: { name: 'x', key: 'k' } }), 'secret "x" not found'],
		[
			one({ configMapKeyRef: { name: 'settings', key: 'k' } }),
			"couldn't find key k in ConfigMap ns/settings",
		],
		[one({ secretKeyRef: { name: 'login', key: 'k' } }), "couldn't find key k in Secret ns/login"],
		[
			one({ configMapKeyRef: { name: 'settings', key: 'BINARY' } }),
			"couldn't find key BINARY in ConfigMap ns/settings",
		],
	];
	for (const [container, message] of wrong) {
		assert.throws(
			() => withObjects(container),
			(error) => error instanceof InputError && error.message === message,
		);
	}
});
