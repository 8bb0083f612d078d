import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, Pod } from '../api/core/pod/schema.ts';
import { environmentOf, expand } from './environment.ts';

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
	return Object.fromEntries(environmentOf(pod, container, FACTS).map(({ name, value }) => [name, value]));
}

test('$(NAME) stands for an earlier variable, $$ for a dollar, and what is not known for itself', () => {
	const values = new Map([['A', '1']]);
	assert.equal(expand('$(A) $(B) $$(A) $A $$ $', values), '1 $(B) $(A) $A $ $');
	assert.deepEqual(
		environment([
			{ name: 'A', value: 'a' },
			{ name: 'B', value: '$(A)$(C)' },
			{ name: 'C', value: 'c' },
		]),
		{ A: 'a', B: 'a$(C)', C: 'c' },
	);
});

test('fields of the Pod', () => {
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

test('requests and limits in units of the divisor, rounded up; a missing limit is the size of the node', () => {
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

test('an optional ConfigMap or Secret that does not exist gives no variable', () => {
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
