import { delimitedField, enveloped, numberField } from '../../src/api/protobuf/testing/wire-writer.ts';
import { entries, JSON_TYPE, job, PROTOBUF, type Row, times, YAML_TYPE } from './parts.ts';

const MEGABYTES = 'x'.repeat(2_900_000);

/** Bodies of a POST of a Job: name, expected status, content type, body. */
export const POSTS: readonly Row[] = [
	['a million open lists', 400, JSON_TYPE, '['.repeat(1_000_000)],
	['a million open lists of YAML', 400, YAML_TYPE, '['.repeat(1_000_000)],
	['a million open objects', 400, JSON_TYPE, '{"a":'.repeat(500_000)],
	['escapes without end', 400, JSON_TYPE, `"${'\\x'.repeat(1_400_000)}`],
	['a number of a million digits', 400, JSON_TYPE, `{"spec":{"parallelism":${'9'.repeat(1_000_000)}}}`],
	[
		'a number of YAML with a million underscores',
		400,
		YAML_TYPE,
		`apiVersion: batch/v1\nkind: Job\nmetadata: {name: h}\nspec: {parallelism: ${'1_'.repeat(1_400_000)}1}`,
	],
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
		'a field path of 100,000 open brackets',
		422,
		JSON_TYPE,
		job({}, {}, { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "a['".repeat(100_000) } } }] }),
	],
	[
		'an iSCSI name of 50,000 repeated prefixes',
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

/** Nested messages in an unknown field, which the decoder must skip without descending into it. */
function nested(depth: number): Uint8Array {
	let message: readonly number[] = numberField(1, 1);
	for (let level = 0; level < depth; level++) message = delimitedField(1, message);
	return enveloped('batch/v1', 'Job', delimitedField(1, message));
}

/** A Job whose Pods have `supplementalGroups` as one packed repeated field. */
function packedNumbers(count: number): Uint8Array {
	const path = [2, 6, 2, 14, 4];
	const packed = path.reduceRight(
		(message: readonly number[], number) => delimitedField(number, message),
		times(count, () => 1),
	);
	return enveloped('batch/v1', 'Job', packed);
}

/** A Job in protobuf with `count` labels. Written as text, since the test would encode them for seconds one by one. */
export function labelsOfProtobuf(count: number): Uint8Array {
	const label = (key: string): string =>
		`\x5a${String.fromCharCode(key.length + 5)}\x0a${String.fromCharCode(key.length)}${key}\x12\x01v`;
	const labels = Buffer.from(times(count, (index) => label(`k${index}`)).join(''), 'latin1');
	return enveloped('batch/v1', 'Job', delimitedField(1, [...delimitedField(1, 'h'), ...labels]));
}
