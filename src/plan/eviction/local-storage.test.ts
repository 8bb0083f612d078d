import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../pod/testing/pod-with.ts';
import { limitsLocalStorage, localStorageExcess } from './local-storage.ts';

const MIB = 2 ** 20;

const CASES: readonly {
	readonly title: string;
	readonly spec: object;
	readonly volumes?: Readonly<Record<string, number>>;
	readonly logs?: Readonly<Record<string, number>>;
	readonly layers?: Readonly<Record<string, number>>;
	readonly message: string | undefined;
}[] = [
	{ title: 'nothing limited', spec: { containers: [{ name: 'c' }] }, logs: { c: 1e12 }, message: undefined },
	{ title: 'a volume at its limit', spec: limited('1Mi'), volumes: { v: MIB }, message: undefined },
	{
		title: 'a volume over its limit',
		spec: limited('1Mi'),
		volumes: { v: MIB + 1 },
		message: 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
	},
	{ title: 'a limit of 0, which is none', spec: limited('0'), volumes: { v: 1 }, message: undefined },
	{
		title: 'volumes and logs over the limit of all containers',
		spec: { ...limited('1Gi'), containers: [storing('c', '1Mi'), storing('d', '1Mi')] },
		volumes: { v: MIB },
		logs: { c: MIB, d: 1 },
		message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ',
	},
	{
		title: 'the log of one container over its limit',
		spec: { containers: [storing('c', '1Mi'), storing('d', '9Mi')] },
		logs: { c: MIB + 1 },
		message: 'Container c exceeded its local ephemeral storage limit "1Mi". ',
	},
	{
		title: 'the log and the files of one container over its limit',
		spec: { containers: [storing('c', '1Mi'), storing('d', '9Mi')] },
		logs: { c: 1 },
		layers: { c: MIB },
		message: 'Container c exceeded its local ephemeral storage limit "1Mi". ',
	},
	{
		title: 'files of containers over the limit of all of them',
		spec: { containers: [storing('c', '1Mi')] },
		layers: { c: MIB, d: 1 },
		message: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
	},
	{
		title: 'memory, which does not count as disk',
		spec: {
			containers: [storing('c', '1Mi')],
			volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
		},
		volumes: { v: 9 * MIB },
		message: undefined,
	},
];

function limited(sizeLimit: string): object {
	return { containers: [{ name: 'c' }], volumes: [{ name: 'v', emptyDir: { sizeLimit } }] };
}

function storing(name: string, limit: string): object {
	return { name, resources: { limits: { 'ephemeral-storage': limit } } };
}

for (const { title, spec, volumes = {}, logs = {}, layers = {}, message } of CASES)
	test(`what a Pod may write: ${title}`, () => {
		const use = {
			volumes: new Map(Object.entries(volumes)),
			logs: new Map(Object.entries(logs)),
			writableLayers: new Map(Object.entries(layers)),
		};
		assert.equal(localStorageExcess(podWith(spec), use), message);
	});

test('only Pods with a limit are measured', () => {
	assert.equal(
		limitsLocalStorage(podWith({ containers: [{ name: 'c' }], volumes: [{ name: 'v', emptyDir: {} }] })),
		false,
	);
	assert.equal(limitsLocalStorage(podWith(limited('1Mi'))), true);
	assert.equal(limitsLocalStorage(podWith({ containers: [storing('c', '1Mi')] })), true);
});
