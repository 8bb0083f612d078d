import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { PriorityClass } from '../../api/scheduling/priorityclass/schema.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses';

async function open() {
	const { server } = await openTestServer();
	const post = async (path: string, body: object): Promise<unknown> =>
		(await server.request({ method: 'POST', path, body })).object;
	return {
		list: async (): Promise<readonly PriorityClass[]> => {
			const { object } = await server.request({ method: 'GET', path: CLASSES });
			return (object as { readonly items: readonly PriorityClass[] }).items;
		},
		make: (name: string, fields: object): Promise<unknown> =>
			post(CLASSES, { metadata: { name }, value: 10, ...fields }),
		change: (name: string, body: object): Promise<unknown> => {
			const contentType = 'application/merge-patch+json';
			return server.request({ method: 'PATCH', path: `${CLASSES}/${name}`, body, contentType });
		},
		remove: (name: string): Promise<unknown> =>
			server.request({ method: 'DELETE', path: `${CLASSES}/${name}` }),
		pod: async (name: string, spec: object = {}): Promise<Pod['spec']> => {
			const base = podNamed(name);
			const made = await post(PODS, { ...base, spec: { ...(base.spec as object), ...spec } });
			return (made as Pod).spec;
		},
	};
}

test('the system PriorityClasses exist and cannot be deleted', async () => {
	const { list, remove } = await open();
	assert.deepEqual(
		(await list()).map(({ metadata, value }) => [metadata.name, value]),
		[
			['system-cluster-critical', 2_000_000_000],
			['system-node-critical', 2_000_001_000],
		],
	);
	const error = await refusal(remove('system-node-critical'));
	assert.equal(error.code, 403);
	assert.match(error.message, /this is a system priority class and cannot be deleted$/);
});

test('a Pod receives the value and the preemption policy of its PriorityClass', async () => {
	const { make, pod } = await open();
	await make('high', { value: 7, preemptionPolicy: 'Never' });
	const { priority, preemptionPolicy, priorityClassName } = await pod('a', { priorityClassName: 'high' });
	assert.deepEqual([priority, preemptionPolicy, priorityClassName], [7, 'Never', 'high']);
});

test('a Pod without a PriorityClass receives the default class, or priority 0', async () => {
	const { make, pod, remove } = await open();
	const before = await pod('a');
	assert.deepEqual([before.priority, before.priorityClassName], [0, undefined]);
	await make('usual', { value: 3, globalDefault: true });
	const after = await pod('b');
	assert.deepEqual([after.priority, after.priorityClassName], [3, 'usual']);
	await remove('usual');
	assert.equal((await pod('c')).priority, 0);
});

test('a priority that the Pod sets itself must be that of its PriorityClass', async () => {
	const { make, pod } = await open();
	await make('high', { value: 7, preemptionPolicy: 'Never' });
	const computed = 'priority admission controller computed';
	for (const [spec, text] of [
		[{ priorityClassName: 'low' }, 'no PriorityClass with name low was found'],
		[
			{ priority: 5 },
			`the integer value of priority (5) must not be provided in pod spec; ${computed} 0 from the given PriorityClass name`,
		],
		[
			{ preemptionPolicy: 'Never' },
			`the string value of PreemptionPolicy (Never) must not be provided in pod spec; ${computed} PreemptLowerPriority from the given PriorityClass name`,
		],
		[
			{ priorityClassName: 'high', preemptionPolicy: 'PreemptLowerPriority' },
			`the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; ${computed} Never from the given PriorityClass name`,
		],
	] as const) {
		const error = await refusal(pod('a', spec));
		assert.deepEqual([error.code, error.message], [403, `pods "a" is forbidden: ${text}`]);
	}
	assert.equal(
		(await pod('b', { priorityClassName: 'high', priority: 7, preemptionPolicy: 'Never' })).priority,
		7,
	);
});

test('only one PriorityClass can be the global default', async () => {
	const { change, make } = await open();
	await make('usual', { globalDefault: true });
	await make('other', {});
	const text = 'PriorityClass usual is already marked as default. Only one default can exist';
	const created = await refusal(make('second', { globalDefault: true }));
	assert.match(created.message, new RegExp(`"second" is forbidden: ${text}$`));
	const updated = await refusal(change('other', { globalDefault: true }));
	assert.match(updated.message, new RegExp(`"other" is forbidden: ${text}$`));
	await change('usual', { description: 'still the one' });
	await change('usual', { globalDefault: false });
	await change('other', { globalDefault: true });
});
