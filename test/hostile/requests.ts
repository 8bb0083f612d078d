import { delimitedField, enveloped, numberField } from '../../src/api/protobuf/wire-writer.ts';
import type { FuzzRequest } from '../fuzz/requests.ts';

/** A request that is made to hold the server up. */
export interface HostileRequest extends FuzzRequest {
	readonly name: string;
	/** What it is answered with. */
	readonly status: number;
}

/** Where Jobs are. */
export const JOBS = '/apis/batch/v1/namespaces/default/jobs';
/** A Job with very much in it, which the test makes before. */
export const LARGE = 'large';
const CRON_JOBS = '/apis/batch/v1/namespaces/default/cronjobs';
const PODS = '/api/v1/namespaces/default/pods';
const MANY = `${JOBS}?labelSelector=${encodeURIComponent('many=y')}`;

/** Content types of bodies. */
export const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** A list of so many entries. */
export function times<T>(count: number, entry: (index: number) => T): T[] {
	return Array.from({ length: count }, (_, index) => entry(index));
}

/** An object of so many fields, all of the same value. */
export function entries(count: number, value: unknown = 'v'): Record<string, unknown> {
	return Object.fromEntries(times(count, (index) => [`k${index}`, value]));
}

/** A Job with these metadata, and these fields of its Pods and their one container. */
export function job(metadata: object, pod: object = {}, container: object = {}, more: object = {}): object {
	const containers = [{ name: 'c', image: 'b', ...container }];
	const spec = { template: { spec: { restartPolicy: 'Never', containers, ...pod } }, suspend: true };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'h', ...metadata }, spec, ...more };
}

function cronJob(schedule: string): object {
	const { spec } = { spec: {}, ...job({}) };
	return {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'h' },
		spec: { schedule, jobTemplate: { spec } },
	};
}

/** A request that takes JSON. */
export function request(method: string, path: string, body?: FuzzRequest['body']): FuzzRequest {
	return { method, path, accept: JSON_TYPE, ...(body && { body }) };
}

/** A body of that content type. */
export function bodyOf(contentType: string, content: string | Uint8Array | object): FuzzRequest['body'] {
	if (content instanceof Uint8Array) return { contentType, bytes: content };
	return { contentType, bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) };
}

/** A request but for method and path. */
export type Row = readonly [
	name: string,
	status: number,
	contentType: string,
	body: string | Uint8Array | object,
];

const MEGABYTES = 'x'.repeat(2_900_000);

/** Bodies of a POST of a Job. */
const POSTS: readonly Row[] = [
	['a million open lists', 400, JSON_TYPE, '['.repeat(1_000_000)],
	['a million open lists of YAML', 400, YAML_TYPE, '['.repeat(1_000_000)],
	['a million open objects', 400, JSON_TYPE, '{"a":'.repeat(500_000)],
	['escapes without end', 400, JSON_TYPE, `"${'\\x'.repeat(1_400_000)}`],
	['a number of a million digits', 400, JSON_TYPE, `{"spec":{"parallelism":${'9'.repeat(1_000_000)}}}`],
	['200,000 keys of YAML', 413, YAML_TYPE, times(200_000, (i) => `k${i}: v`).join('\n')],
	['50,000 anchors', 413, YAML_TYPE, times(50_000, (i) => `k${i}: &a${i} v`).join('\n')],
	[
		'aliases of aliases',
		400,
		YAML_TYPE,
		`a: &a [x]\n${times(30, (i) => `b${i}: &b${i} [*${i ? `b${i - 1}` : 'a'},*${i ? `b${i - 1}` : 'a'}]`).join('\n')}`,
	],
	['an indent for each of 2,000 lines', 400, YAML_TYPE, times(2_000, (i) => `${' '.repeat(i)}a:`).join('\n')],
	['100,000 labels', 413, JSON_TYPE, job({ labels: entries(100_000) })],
	['15,000 labels', 201, JSON_TYPE, job({ labels: entries(15_000) })],
	['15,000 wrong labels', 422, JSON_TYPE, job({ labels: entries(15_000, ' ') })],
	['15,000 annotations', 201, JSON_TYPE, job({ annotations: entries(15_000) })],
	['15,000 finalizers', 422, JSON_TYPE, job({ finalizers: times(15_000, (i) => `f${i}`) })],
	[
		'3,000 owners',
		201,
		JSON_TYPE,
		job({
			ownerReferences: times(3_000, (i) => ({ apiVersion: 'v1', kind: 'Pod', name: `p${i}`, uid: `u${i}` })),
		}),
	],
	[
		'20,000 owners',
		413,
		JSON_TYPE,
		job({
			ownerReferences: times(20_000, (i) => ({ apiVersion: 'v1', kind: 'Pod', name: `p${i}`, uid: `u${i}` })),
		}),
	],
	[
		'4,000 managers',
		201,
		JSON_TYPE,
		job({
			managedFields: times(4_000, (i) => ({ manager: `m${i}`, operation: 'Update', apiVersion: 'v1' })),
		}),
	],
	[
		'5,000 variables',
		201,
		JSON_TYPE,
		job({}, {}, { env: times(5_000, (i) => ({ name: `E${i}`, value: '$(E1)$(E2)' })) }),
	],
	[
		'30,000 variables',
		413,
		JSON_TYPE,
		job({}, {}, { env: times(30_000, (i) => ({ name: `E${i}`, value: 'v' })) }),
	],
	[
		'4,000 containers',
		413,
		JSON_TYPE,
		job({}, { containers: times(4_000, (i) => ({ name: `c${i}`, image: 'b' })) }),
	],
	[
		'4,000 equal containers',
		422,
		JSON_TYPE,
		job({}, { containers: times(4_000, () => ({ name: 'c', image: 'b' })) }),
	],
	[
		'4,000 init containers',
		413,
		JSON_TYPE,
		job({}, { initContainers: times(4_000, (i) => ({ name: `i${i}`, image: 'b' })) }),
	],
	[
		'2,000 volumes, all mounted',
		201,
		JSON_TYPE,
		job(
			{},
			{ volumes: times(2_000, (i) => ({ name: `v${i}`, emptyDir: {} })) },
			{ volumeMounts: times(2_000, (i) => ({ name: `v${i}`, mountPath: `/v${i}` })) },
		),
	],
	[
		'6,000 ports',
		413,
		JSON_TYPE,
		job({}, {}, { ports: times(6_000, (i) => ({ containerPort: i + 1, name: `p${i}` })) }),
	],
	[
		'5,000 tolerations',
		201,
		JSON_TYPE,
		job({}, { tolerations: times(5_000, () => ({ operator: 'Exists' })) }),
	],
	[
		'4,000 affinity terms',
		201,
		JSON_TYPE,
		job(
			{},
			{
				affinity: {
					podAntiAffinity: {
						requiredDuringSchedulingIgnoredDuringExecution: times(4_000, (i) => ({
							topologyKey: `k${i}`,
							labelSelector: {},
						})),
					},
				},
			},
		),
	],
	[
		'6,000 requirements of a selector',
		422,
		JSON_TYPE,
		job(
			{},
			{},
			{},
			{
				spec: {
					selector: { matchExpressions: times(6_000, (i) => ({ key: `k${i}`, operator: 'Exists' })) },
					template: {},
				},
			},
		),
	],
	[
		'2,000 containers',
		201,
		JSON_TYPE,
		job({}, { containers: times(2_000, (i) => ({ name: `c${i}`, image: 'b' })) }),
	],
	[
		'4,000 ports',
		201,
		JSON_TYPE,
		job({}, {}, { ports: times(4_000, (i) => ({ containerPort: i + 1, name: `p${i}` })) }),
	],
	['an argument of 1.4 MB', 201, JSON_TYPE, job({}, {}, { args: ['$('.repeat(700_000)] })],
	['a packed list of a million numbers', 413, PROTOBUF, packedNumbers(1_000_000)],
	['15,000 arguments', 201, JSON_TYPE, job({}, {}, { args: times(15_000, () => '$(A)$(B)') })],
	['an argument of 2.9 MB', 413, JSON_TYPE, job({}, {}, { args: ['$('.repeat(1_400_000)] })],
	[
		'a path of open brackets',
		422,
		JSON_TYPE,
		job({}, {}, { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "a['".repeat(100_000) } } }] }),
	],
	[
		'an iSCSI name of beginnings',
		422,
		JSON_TYPE,
		job(
			{},
			{ volumes: [{ name: 'v', iscsi: { targetPortal: 'a', lun: 0, iqn: 'iqn.2000-01.'.repeat(50_000) } }] },
		),
	],
	['a time of 2.9 MB', 400, JSON_TYPE, job({ creationTimestamp: ':'.repeat(2_900_000) })],
	[
		'a quantity of 2.9 MB',
		400,
		JSON_TYPE,
		job({}, {}, { resources: { limits: { cpu: '9'.repeat(2_900_000) } } }),
	],
	['a name of 2.9 MB', 422, JSON_TYPE, job({ name: MEGABYTES })],
	[
		'a generated name of 2.9 MB',
		422,
		JSON_TYPE,
		job({ name: undefined, generateName: `${'-'.repeat(2_900_000)}` }),
	],
	['a label of 2.9 MB', 422, JSON_TYPE, job({ labels: { [MEGABYTES]: 'v' } })],
	['a kind of 2.9 MB', 400, JSON_TYPE, { apiVersion: 'batch/v1', kind: MEGABYTES }],
	['a version of 2.9 MB', 400, JSON_TYPE, { apiVersion: MEGABYTES, kind: 'Job' }],
	['an unknown field of 2.9 MB', 201, JSON_TYPE, job({}, {}, {}, { [MEGABYTES]: 1 })],
	['10,000 unknown fields', 201, JSON_TYPE, job({}, {}, {}, entries(10_000))],
	['a field of the wrong type and 2.9 MB', 400, JSON_TYPE, job({ labels: MEGABYTES })],
	['an image of 2.9 MB', 413, JSON_TYPE, job({}, {}, { image: MEGABYTES })],
	[
		'a million tags of protobuf',
		400,
		PROTOBUF,
		enveloped(
			'batch/v1',
			'Job',
			times(1_000_000, () => 0x0a),
		),
	],
	['2,000 nested messages of protobuf', 400, PROTOBUF, nested(2_000)],
	['200,000 labels of protobuf', 413, PROTOBUF, labelsOfProtobuf(200_000)],
];

/** A message in a message, and so on: unknown fields, which nothing should descend into. */
function nested(depth: number): Uint8Array {
	let message: readonly number[] = numberField(1, 1);
	for (let level = 0; level < depth; level++) message = delimitedField(1, message);
	return enveloped('batch/v1', 'Job', delimitedField(1, message));
}

/** `supplementalGroups` of the Pods as one packed row. */
function packedNumbers(count: number): Uint8Array {
	const path = [2, 6, 2, 14, 4];
	const packed = path.reduceRight(
		(message: readonly number[], number) => delimitedField(number, message),
		times(count, () => 1),
	);
	return enveloped('batch/v1', 'Job', packed);
}

/** A Job in protobuf with so many labels. */
export function labelsOfProtobuf(count: number): Uint8Array {
	const labels = times(count, (index) =>
		delimitedField(11, [...delimitedField(1, `k${index}`), ...delimitedField(2, 'v')]),
	).flat();
	return enveloped('batch/v1', 'Job', delimitedField(1, [...delimitedField(1, 'h'), ...labels]));
}

/** Patches of the large Job. */
const PATCHES: readonly Row[] = [
	[
		'10,000 additions to one map',
		413,
		JSON_PATCH,
		times(10_000, (i) => ({ op: 'add', path: `/metadata/annotations/a${i}`, value: 'v' })),
	],
	[
		'10,000 additions in front of one list',
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
	['5,000 tests of the whole', 422, JSON_PATCH, times(5_000, () => ({ op: 'test', path: '', value: {} }))],
	['a path of a million steps', 422, JSON_PATCH, [{ op: 'add', path: '/a'.repeat(1_000_000), value: 1 }]],
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
	['a merge of great depth', 400, MERGE, `${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}`],
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
		'5,000 places of an order',
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
		'15,000 keys to be retained',
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

const READS: readonly (readonly [name: string, status: number, path: string])[] = [
	['all Jobs', 200, JOBS],
	['all Jobs, indented', 200, `${JOBS}?pretty=true`],
	['the large Job, indented', 200, `${JOBS}/${LARGE}?pretty=true`],
	[
		'a selector of 2,000 requirements',
		200,
		`${JOBS}?labelSelector=${times(2_000, (i) => `k${i}`).join(',')}`,
	],
	[
		'a selector of 1,000 values',
		200,
		`${JOBS}?labelSelector=k${encodeURIComponent(` in (${times(1_000, (i) => i).join(',')})`)}`,
	],
	['a selector of open brackets', 400, `${JOBS}?labelSelector=${encodeURIComponent('a in ('.repeat(500))}`],
	[
		'a field selector of 1,000 terms',
		400,
		`${JOBS}?fieldSelector=${times(1_000, (i) => `a${i}%3Db`).join(',')}`,
	],
	['a query of 5,000 parameters', 200, `${JOBS}?limit=1&${times(1_500, (i) => `a${i}=b`).join('&')}`],
	['a continue token of 12,000 bytes', 400, `${JOBS}?limit=1&continue=${'a'.repeat(12_000)}`],
	['percent signs', 400, `${JOBS}?labelSelector=${'%25'.repeat(4_000)}`],
	['a path of 5,000 steps', 404, `/apis${'/a'.repeat(5_000)}`],
];

/** Every row, in order; the last ones change or delete what others read. */
export const HOSTILE: readonly HostileRequest[] = [
	...POSTS.map(([name, status, contentType, body]) => ({
		...request('POST', `${JOBS}?dryRun=All`, bodyOf(contentType, body)),
		name: `a body with ${name}`,
		status,
	})),
	...PATCHES.map(([name, status, contentType, body]) => ({
		...request('PATCH', `${JOBS}/${LARGE}?dryRun=All`, bodyOf(contentType, body)),
		name: `a patch with ${name}`,
		status,
	})),
	...READS.map(([name, status, path]) => ({ ...request('GET', path), name: `to read ${name}`, status })),
	{
		...request(
			'PUT',
			`${JOBS}/${LARGE}?dryRun=All`,
			bodyOf(JSON_TYPE, job({ name: LARGE }, {}, { env: times(5_000, (i) => ({ name: `N${i}` })) })),
		),
		name: 'to replace the large Job',
		status: 422,
	},
	{
		...request('POST', JOBS, bodyOf(JSON_TYPE, job({ name: 'stored', annotations: entries(15_000) }))),
		name: 'to store 15,000 annotations',
		status: 201,
	},
	...[`${'*,'.repeat(4_990)}* * * * *`, `${'*,'.repeat(1_000_000)}* * * * *`].map((schedule, index) => ({
		...request('POST', `${CRON_JOBS}?dryRun=All`, bodyOf(JSON_TYPE, cronJob(schedule))),
		name: `a CronJob with a schedule of ${schedule.length} characters`,
		status: index === 0 ? 201 : 422,
	})),
	{ ...request('DELETE', `${PODS}?labelSelector=none`), name: 'to delete no Pods', status: 200 },
	{
		...request('DELETE', `${MANY}&propagationPolicy=Background`),
		name: 'to delete thousands of Jobs',
		status: 200,
	},
];
