import assert from 'node:assert/strict';
import test from 'node:test';
import { deepFreeze } from '../../../base/json/freeze.ts';
import { SPEC } from '../../errors/field-path.ts';
import { decode } from '../../schema/decode.ts';
import { disabledFieldWarnings, withoutDisabledFields } from './disabled-fields.ts';
import { type Pod, type PodSpec, podSchema } from './schema.ts';
import { podStatusStrategy } from './strategy.ts';

function decoded(spec: object, status: object = {}): Pod {
	const containers = [{ name: 'main', image: 'a' }];
	const { value, problems } = decode(podSchema, { metadata: {}, spec: { containers, ...spec }, status });
	assert.deepEqual(problems, []);
	return deepFreeze(value);
}

/** The spec of a Pod; its container has the fields of `container`. */
function specWith(fields: object, container: object = {}): PodSpec {
	return decoded({ containers: [{ name: 'main', image: 'a', ...container }], ...fields }).spec;
}

const HTTP = { httpGet: { port: 80, protocol: 'HTTP2' } };
const GRPC = { grpc: { port: 80, mode: 'TLS' } };
const MOUNT = { name: 'v', mountPath: '/v', bindMountOptions: ['noexec'] };
const FILE = { key: 'k', path: 'k', user: 7 };
const DOWNWARD = { path: 'd', user: 7, fieldRef: { fieldPath: 'metadata.name' } };
const VOLUMES = [
	{ name: 'a', secret: { secretName: 's', defaultUser: 7, items: [FILE] } },
	{ name: 'b', configMap: { name: 'c', defaultUser: 7, items: [FILE] } },
	{ name: 'c', downwardAPI: { defaultUser: 7, items: [DOWNWARD] } },
	{
		name: 'd',
		projected: {
			defaultUser: 7,
			sources: [
				{ secret: { name: 's', items: [FILE] } },
				{ configMap: { name: 'c', items: [FILE] } },
				{ downwardAPI: { items: [DOWNWARD] } },
				{ serviceAccountToken: { path: 't', user: 7 } },
				{ clusterTrustBundle: { path: 'b', user: 7 } },
				{ podCertificate: { signerName: 'a/b', keyType: 'ED25519', user: 7 } },
			],
		},
	},
];

/** For each feature: a spec that uses it, and the warning. */
const CASES: readonly (readonly [feature: string, spec: PodSpec, places: string])[] = [
	[
		'VolumeBindMountOptions',
		specWith({ initContainers: [{ name: 'i', volumeMounts: [MOUNT] }] }, { volumeMounts: [MOUNT] }),
		'spec.initContainers[0].volumeMounts[0].bindMountOptions (and 1 more)',
	],
	[
		'H2CContainerProbe',
		specWith({}, { livenessProbe: HTTP, lifecycle: { preStop: HTTP, postStart: HTTP } }),
		'spec.containers[0].livenessProbe.httpGet.protocol (and 2 more)',
	],
	[
		'GRPCContainerProbeTLS',
		specWith({}, { startupProbe: GRPC, readinessProbe: GRPC }),
		'spec.containers[0].readinessProbe.grpc.mode (and 1 more)',
	],
	[
		'EmptyDirVolumeMode',
		specWith({ volumes: [{ name: 'v', emptyDir: { mode: 448 } }] }),
		'spec.volumes[0].emptyDir.mode',
	],
	[
		'AtomicWriteVolumeUserFields',
		specWith({ volumes: VOLUMES }),
		'spec.volumes[0].secret.defaultUser (and 12 more)',
	],
	[
		'EvictionRequestAPI',
		specWith({ evictionResponders: [{ name: 'a.io/b', priority: 1 }] }),
		'spec.evictionResponders',
	],
	['GenericWorkload', specWith({ schedulingGroup: { podGroupName: 'g' } }), 'spec.schedulingGroup'],
];

for (const [feature, spec, places] of CASES) {
	test(`the fields of ${feature} are dropped with a warning, unless the stored Pod uses the feature`, () => {
		const left = withoutDisabledFields(spec);
		const names = /bindMountOptions|protocol|"mode"|[uU]ser"|evictionResponders|schedulingGroup/;
		assert.match(JSON.stringify(spec), names);
		assert.doesNotMatch(JSON.stringify(left), names);
		assert.deepEqual(left.containers.length, spec.containers.length);
		const warnings = disabledFieldWarnings(spec, left, SPEC);
		assert.equal(warnings.length, 1);
		const start = `${places}: it is left out: its feature, ${feature}, is `;
		assert.equal(warnings[0]?.slice(0, start.length), start);
		assert.equal(withoutDisabledFields(spec, spec), spec);
		assert.deepEqual(disabledFieldWarnings(spec, spec, SPEC), []);
	});
}

test('what else belongs to a volume or probe is kept', () => {
	const spec = specWith(
		{ volumes: [{ name: 'v', emptyDir: { mode: 448, medium: 'Memory' } }] },
		{ livenessProbe: HTTP },
	);
	const left = withoutDisabledFields(spec);
	assert.deepEqual(left.volumes, [{ name: 'v', emptyDir: { medium: 'Memory' } }]);
	assert.deepEqual(left.containers[0]?.livenessProbe, { httpGet: { port: 80 } });
});

test('a status is stored without the fields of features that are off, unless it has them', () => {
	const health = { volumeHealth: [{ name: 'v', lastTransitionTime: null }] };
	const claims = { nodeAllocatableResourceClaimStatuses: [{ resourceClaimName: 'c' }] };
	const given = decoded({}, { phase: 'Running', ...health, ...claims });
	const statusAfter = (old: object): object =>
		podStatusStrategy.prepareForUpdate(given, decoded({}, old)).status;
	assert.deepEqual(statusAfter({}), { phase: 'Running' });
	assert.deepEqual(statusAfter(health), { phase: 'Running', ...health });
	assert.deepEqual(statusAfter(claims), { phase: 'Running', ...claims });
});
