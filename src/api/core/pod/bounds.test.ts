import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { pods } from './definition.ts';
import { podSchema } from './schema.ts';

/** A numeric field of a Pod, with the last values inside its bounds and the first ones outside. */
interface Bound {
	readonly field: string;
	readonly spec: (value: number) => object;
	readonly inside: readonly number[];
	readonly outside: readonly number[];
	/** The end of the error for values outside, where it is the same for all of them. */
	readonly detail?: string;
}

const MOST_INT32 = 2 ** 31 - 1;
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const WEIGHT = { inside: [1, 100], outside: [0, 101, -1], detail: 'must be in the range 1-100' };
const PORT = { inside: [1, 65_535], outside: [65_536, -1], detail: 'must be between 1 and 65535, inclusive' };
const MODE = {
	...{ inside: [0, 0o777], outside: [-1, 0o1000] },
	detail: 'must be a number between 0 and 0777 (octal), both inclusive',
};
const ID = {
	inside: [0, MOST_INT32],
	outside: [-1, MOST_INT32 + 1],
	detail: 'must be between 0 and 2147483647, inclusive',
};
const NOT_NEGATIVE = { inside: [0, 1], outside: [-1], detail: 'must be greater than or equal to 0' };
const POSITIVE = { inside: [1], outside: [0, -1], detail: 'must be greater than zero' };

function container(fields: object): object {
	return { containers: [{ name: 'main', image: 'a:1', ...fields }] };
}

function volume(source: object): object {
	return { volumes: [{ name: 'v', ...source }] };
}

const probe = (fields: object): object =>
	container({ livenessProbe: { exec: { command: ['true'] }, ...fields } });
const TERM = { topologyKey: 'zone', labelSelector: {} };

const BOUNDS: readonly Bound[] = [
	{
		...{ field: 'nodeAffinity weight', ...WEIGHT },
		spec: (weight) => ({ affinity: { nodeAffinity: { [PREFERRED]: [{ weight, preference: {} }] } } }),
	},
	...['podAffinity', 'podAntiAffinity'].map((kind) => ({
		...{ field: `${kind} weight`, ...WEIGHT },
		spec: (weight: number) => ({
			affinity: { [kind]: { [PREFERRED]: [{ weight, podAffinityTerm: TERM }] } },
		}),
	})),
	{ field: 'containerPort', ...PORT, spec: (containerPort) => container({ ports: [{ containerPort }] }) },
	{
		...{ field: 'hostPort', ...PORT, inside: [0, 1, 65_535] },
		spec: (hostPort) => container({ ports: [{ containerPort: 80, hostPort }] }),
	},
	{
		...{ field: 'httpGet port', ...PORT, outside: [0, 65_536, -1] },
		spec: (port) => container({ livenessProbe: { httpGet: { port } } }),
	},
	{
		...{ field: 'tcpSocket port', ...PORT, outside: [0, 65_536, -1] },
		spec: (port) => container({ livenessProbe: { tcpSocket: { port } } }),
	},
	{
		...{ field: 'grpc port', ...PORT, outside: [0, 65_536, -1] },
		spec: (port) => container({ livenessProbe: { grpc: { port } } }),
	},
	{ field: 'initialDelaySeconds', ...NOT_NEGATIVE, spec: (n) => probe({ initialDelaySeconds: n }) },
	{ field: 'timeoutSeconds', ...NOT_NEGATIVE, spec: (n) => probe({ timeoutSeconds: n }) },
	{ field: 'periodSeconds', ...NOT_NEGATIVE, spec: (n) => probe({ periodSeconds: n }) },
	{ field: 'failureThreshold', ...NOT_NEGATIVE, spec: (n) => probe({ failureThreshold: n }) },
	{
		field: 'secret defaultMode',
		...MODE,
		spec: (n) => volume({ secret: { secretName: 's', defaultMode: n } }),
	},
	{
		field: 'configMap defaultMode',
		...MODE,
		spec: (n) => volume({ configMap: { name: 'm', defaultMode: n } }),
	},
	{
		field: 'projected defaultMode',
		...MODE,
		spec: (n) => volume({ projected: { sources: [], defaultMode: n } }),
	},
	{ field: 'downwardAPI defaultMode', ...MODE, spec: (n) => volume({ downwardAPI: { defaultMode: n } }) },
	{
		...{ field: 'mode of a key', ...MODE },
		spec: (mode) => volume({ secret: { secretName: 's', items: [{ key: 'k', path: 'p', mode }] } }),
	},
	{
		...{ field: 'mode of a field', ...MODE },
		spec: (mode) =>
			volume({ downwardAPI: { items: [{ path: 'p', mode, fieldRef: { fieldPath: 'metadata.name' } }] } }),
	},
	{
		...{ field: 'token expirationSeconds', inside: [600, 2 ** 32], outside: [599, 2 ** 32 + 1] },
		spec: (expirationSeconds) => ({
			serviceAccountName: 'default',
			...volume({ projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds } }] } }),
		}),
	},
	{ field: 'runAsUser of the Pod', ...ID, spec: (runAsUser) => ({ securityContext: { runAsUser } }) },
	{ field: 'runAsGroup of the Pod', ...ID, spec: (runAsGroup) => ({ securityContext: { runAsGroup } }) },
	{ field: 'fsGroup', ...ID, spec: (fsGroup) => ({ securityContext: { fsGroup } }) },
	{
		field: 'supplementalGroups',
		...ID,
		spec: (group) => ({ securityContext: { supplementalGroups: [group] } }),
	},
	{ field: 'runAsUser', ...ID, spec: (runAsUser) => container({ securityContext: { runAsUser } }) },
	{ field: 'runAsGroup', ...ID, spec: (runAsGroup) => container({ securityContext: { runAsGroup } }) },
	{
		...{ field: 'activeDeadlineSeconds', inside: [1, MOST_INT32], outside: [0, MOST_INT32 + 1] },
		...{ spec: (activeDeadlineSeconds) => ({ activeDeadlineSeconds }) },
		detail: 'must be between 1 and 2147483647, inclusive',
	},
	{
		...{ field: 'maxSkew', ...POSITIVE },
		spec: (maxSkew) => ({
			topologySpreadConstraints: [{ maxSkew, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
		}),
	},
	{
		...{ field: 'minDomains', ...POSITIVE },
		spec: (minDomains) => ({
			topologySpreadConstraints: [
				{ maxSkew: 1, minDomains, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
			],
		}),
	},
	{
		...{ field: 'preStop sleep seconds', inside: [0, 30], outside: [-1, 31] },
		spec: (seconds) => ({
			terminationGracePeriodSeconds: 30,
			...container({ lifecycle: { preStop: { sleep: { seconds } } } }),
		}),
	},
];

function problems(spec: object): readonly string[] {
	const base = { containers: [{ name: 'main', image: 'a:1' }] };
	const json = { metadata: { name: 'p', namespace: 'default' }, spec: { ...base, ...spec } };
	const pod = pods.strategy.prepareForCreate(pods.defaults(decode(podSchema, json).value));
	return pods.strategy.validateCreate(pod).map(({ field, message }) => `${field}: ${message}`);
}

for (const { field, spec, inside, outside, detail = '' } of BOUNDS) {
	test(`validation accepts ${inside.join(' and ')} for ${field}, not ${outside.join(' or ')}`, () => {
		for (const value of inside) assert.deepEqual(problems(spec(value)), [], String(value));
		for (const value of outside) {
			const found = problems(spec(value));
			assert.ok(
				found.length > 0 && found.every((text) => text.endsWith(detail)),
				`${value}: ${JSON.stringify(found)}`,
			);
		}
	});
}
