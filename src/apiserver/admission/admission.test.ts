import assert from 'node:assert/strict';
import test from 'node:test';
import { ADMIN } from '../../api/contract/user.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { Admission, type AdmissionPlugin, type MutableAttributes, type Operation } from './admission.ts';

const NAMED: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };

const attributesOf = (operation: Operation): MutableAttributes => ({
	...{ user: ADMIN, operation, definition: pods, subresource: '', namespace: 'default', name: 'p' },
	...{ object: NAMED, old: undefined, dryRun: false, options: undefined },
	warn: () => undefined,
});

/** Adds a label in the mutation phase and records the labels that it sees in both phases. */
class Labels {
	readonly seen: string[] = [];
	readonly plugin: AdmissionPlugin;

	constructor(key: string, operations: readonly Operation[], waits: boolean) {
		const wait = <T>(value: T): T | Promise<T> => (waits ? Promise.resolve(value) : value);
		this.plugin = {
			mutation: {
				operations,
				admit: ({ object }) => {
					this.seen.push(`mutates ${labelsIn(object)}`);
					const labels = { ...object.metadata.labels, [key]: '' };
					return wait({ ...object, metadata: { ...object.metadata, labels } });
				},
			},
			validation: {
				operations,
				admit: ({ object }) => {
					this.seen.push(`validates ${object ? labelsIn(object) : 'nothing'}`);
					return wait(undefined);
				},
			},
		};
	}
}

const labelsIn = ({ metadata }: KubeObject): string => Object.keys(metadata.labels ?? {}).join();

for (const waits of [false, true]) {
	test(`plugins ${waits ? 'that wait ' : ''}mutate one after the other, and all validate the result`, async () => {
		const first = new Labels('a', ['CREATE'], waits);
		const second = new Labels('b', ['CREATE'], waits);
		const admitted = await new Admission([first.plugin, second.plugin]).admit(attributesOf('CREATE'));
		assert.equal(labelsIn(admitted), 'a,b');
		assert.deepEqual(first.seen, ['mutates ', 'validates a,b']);
		assert.deepEqual(second.seen, ['mutates a', 'validates a,b']);
	});
}

test('a plugin is called for its operations only', async () => {
	for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
		const labels = new Labels('a', [operation], false);
		const admission = new Admission([labels.plugin]);
		for (const other of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
			await admission.admit(attributesOf(other));
		}
		assert.deepEqual(labels.seen, ['mutates ', 'validates a'], operation);
	}
});

test('without a plugin that waits, neither phase makes a promise', () => {
	const admission = new Admission([new Labels('a', ['CREATE'], false).plugin]);
	assert.ok(!(admission.mutate(attributesOf('CREATE')) instanceof Promise));
	assert.equal(admission.validate(attributesOf('CREATE')), undefined);
});

test('a rejection by a plugin that waits keeps the later ones from being called', async () => {
	const refusal = forbidden({ group: '', resource: 'pods', name: 'p' }, 'no');
	const reject = { operations: ['CREATE'], admit: () => Promise.reject(refusal) } as const;
	const later = new Labels('a', ['CREATE'], false);
	for (const plugin of [{ mutation: reject }, { validation: reject }]) {
		const admission = new Admission([
			plugin,
			{ ...later.plugin, ...('mutation' in plugin ? {} : { mutation: reject }) },
		]);
		await assert.rejects(admission.admit(attributesOf('CREATE')), refusal);
	}
	assert.deepEqual(later.seen, []);
});
