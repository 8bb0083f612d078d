import { entries, JSON_PATCH, MERGE, type Row, STRATEGIC, times } from './parts.ts';

/** Patches of the large Job: name, expected status, content type, body. */
export const PATCHES: readonly Row[] = [
	[
		'10,000 additions to one map',
		413,
		JSON_PATCH,
		times(10_000, (i) => ({ op: 'add', path: `/metadata/annotations/a${i}`, value: 'v' })),
	],
	[
		'10,000 insertions at the start of one list',
		413,
		JSON_PATCH,
		times(10_000, () => ({ op: 'add', path: '/spec/template/spec/containers/0/args/0', value: 'v' })),
	],
	[
		'1,000 copies of a map into itself',
		413,
		JSON_PATCH,
		times(1_000, (i) => ({ op: 'copy', from: '/metadata/annotations', path: `/metadata/annotations/a${i}` })),
	],
	[
		'5,000 tests of the whole document',
		422,
		JSON_PATCH,
		times(5_000, () => ({ op: 'test', path: '', value: {} })),
	],
	['a path of a million segments', 422, JSON_PATCH, [{ op: 'add', path: '/a'.repeat(1_000_000), value: 1 }]],
	['15,000 annotations merged', 413, MERGE, { metadata: { annotations: entries(15_000) } }],
	['100,000 annotations merged', 413, MERGE, { metadata: { annotations: entries(100_000) } }],
	['5,000 annotations merged', 200, MERGE, { metadata: { annotations: entries(5_000, 'new') } }],
	[
		'5,000 additions to one map',
		200,
		JSON_PATCH,
		times(5_000, (i) => ({ op: 'add', path: `/metadata/annotations/a${i}`, value: 'v' })),
	],
	['10,000 annotations removed', 200, MERGE, { metadata: { annotations: entries(10_000, null) } }],
	['500,000 nested objects', 400, MERGE, `${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}`],
	[
		'4,000 variables merged by name',
		422,
		STRATEGIC,
		{
			spec: {
				template: {
					spec: { containers: [{ name: 'c', env: times(4_000, (i) => ({ name: `N${i}`, value: 'v' })) }] },
				},
			},
		},
	],
	[
		'4,000 variables deleted by name',
		422,
		STRATEGIC,
		{
			spec: {
				template: {
					spec: {
						containers: [{ name: 'c', env: times(4_000, (i) => ({ name: `E${i}`, $patch: 'delete' })) }],
					},
				},
			},
		},
	],
	[
		'5,000 entries of a $setElementOrder',
		422,
		STRATEGIC,
		{
			spec: {
				template: {
					spec: {
						containers: [
							{
								name: 'c',
								'$setElementOrder/env': times(5_000, (i) => ({ name: `E${5_000 - i}` })),
								env: [{ name: 'E1', value: 'n' }],
							},
						],
					},
				},
			},
		},
	],
	[
		'15,000 keys in $retainKeys',
		200,
		STRATEGIC,
		{ metadata: { annotations: { $retainKeys: times(15_000, (i) => `k${i}`) } } },
	],
	[
		'15,000 finalizers merged',
		200,
		STRATEGIC,
		{ metadata: { finalizers: times(15_000, (i) => `example.com/f${i}`) } },
	],
];
