import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import { podSpecSchema } from '../../../api/core/pod/schema/spec.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { SchemaNode } from '../../../api/schema/schema.ts';
import type { Effect, FieldRule } from './field-rule.ts';
import { FIELD_RULES, findingsOf, type HoldBack, hintsText, holdBack, placesIn } from './field-rules.ts';

/** The traits of the runtime `process` if stint runs as root. */
const BARE: RuntimeTraits = {
	honours: new Set(),
	user: { uid: 0, gid: 0, groups: [4] },
	os: 'linux',
	runsHostPrograms: true,
};
const AS_USER: RuntimeTraits = { ...BARE, user: { uid: 1000, gid: 1000, groups: [27] } };
const EVERYTHING: RuntimeTraits = { ...BARE, honours: 'everything' };

/** A Pod with one container `c` and these fields in its spec and container. */
function pod(spec: object, container: object = {}, annotations: Record<string, string> = {}): Pod {
	const metadata = { name: 'p', namespace: 'ns', uid: 'u', annotations };
	const containers = [{ name: 'c', image: 'busybox', ...container }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata,
		spec: { containers, ...spec },
		status: {},
	} as unknown as Pod;
}

const container = (fields: object): Pod => pod({}, fields);
const secured = (securityContext: object): Pod => container({ securityContext });
const podSecured = (securityContext: object): Pod => pod({ securityContext });
const mounted = (volume: object): Pod =>
	pod({ volumes: [{ name: 'v', ...volume }] }, { volumeMounts: [{ name: 'v', mountPath: '/data' }] });

interface Case {
	readonly field: string;
	readonly effect: Effect;
	readonly pod: Pod;
	readonly traits?: RuntimeTraits;
	/** The whole message, if it is upstream's. */
	readonly text?: string;
}

const C = 'spec.containers[].';
const WHO = '(pod: "p_ns(u)", container: c)';
const PROBE = { exec: { command: ['true'] } };

/** At least one case for every row with a condition, and for every row by which a field has no effect. */
const CASES: readonly Case[] = [
	{
		...{ field: 'spec.runtimeClassName', effect: 'refused', pod: pod({ runtimeClassName: 'x' }) },
		text: 'pod rejected: RuntimeClass "x" not found',
	},
	{
		...{ field: 'spec.overhead', effect: 'refused', pod: pod({ overhead: { cpu: '1' } }) },
		text: 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
	},
	{
		...{ field: 'spec.os', effect: 'rejected', pod: pod({ os: { name: 'windows' } }) },
		text: "Failed to admit pod as the OS field doesn't match node OS",
	},
	{ field: 'spec.os', effect: 'honoured', pod: pod({ os: { name: 'linux' } }) },
	{ field: 'spec.volumes', effect: 'unmounted', pod: mounted({ emptyDir: {} }) },
	{ field: 'spec.volumes', effect: 'harmless', pod: pod({ volumes: [{ name: 'v', emptyDir: {} }] }) },
	{ field: 'spec.resourceClaims', effect: 'unscheduled', pod: pod({ resourceClaims: [{ name: 'gpu' }] }) },
	{
		field: 'spec.hostAliases',
		effect: 'held',
		pod: pod({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }] }),
	},
	{ field: 'spec.dnsPolicy', effect: 'held', pod: pod({ dnsPolicy: 'None' }) },
	{ field: 'spec.dnsPolicy', effect: 'harmless', pod: pod({ dnsPolicy: 'ClusterFirst' }) },
	{ field: 'spec.dnsConfig', effect: 'held', pod: pod({ dnsConfig: { nameservers: ['10.0.0.1'] } }) },
	{ field: 'spec.hostUsers', effect: 'held', pod: pod({ hostUsers: false }) },
	{ field: 'spec.hostUsers', effect: 'harmless', pod: pod({ hostUsers: true }) },
	{ field: 'spec.serviceAccountName', effect: 'warned', pod: pod({ serviceAccountName: 'builder' }) },
	{ field: 'spec.serviceAccountName', effect: 'harmless', pod: pod({ serviceAccountName: 'default' }) },
	{
		field: 'spec.automountServiceAccountToken',
		effect: 'warned',
		pod: pod({ automountServiceAccountToken: true }),
	},
	{ field: 'spec.subdomain', effect: 'warned', pod: pod({ subdomain: 'db' }) },
	{ field: 'spec.setHostnameAsFQDN', effect: 'warned', pod: pod({ setHostnameAsFQDN: true }) },
	{ field: 'spec.resources', effect: 'warned', pod: pod({ resources: { limits: { cpu: '1' } } }) },
	{ field: 'spec.resources', effect: 'honoured', pod: pod({ resources: { requests: { cpu: '1' } } }) },
	{
		...{
			field: `${C}envFrom`,
			effect: 'held',
			pod: container({ envFrom: [{ configMapRef: { name: 'x' } }] }),
		},
		text: 'configmap "x" not found',
	},
	{
		...{ field: `${C}envFrom`, effect: 'held', pod: container({ envFrom: [{ secretRef: { name: 'x' } }] }) },
		text: 'secret "x" not found',
	},
	{
		...{ field: `${C}envFrom`, effect: 'harmless' },
		pod: container({ envFrom: [{ configMapRef: { name: 'x', optional: true } }] }),
	},
	{
		...{ field: `${C}env`, effect: 'held', text: 'secret "s" not found' },
		pod: container({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
	},
	{
		...{ field: `${C}env`, effect: 'held', text: 'configmap "m" not found' },
		pod: container({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'm', key: 'k' } } }] }),
	},
	{
		...{ field: `${C}env`, effect: 'held' },
		pod: container({
			env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'k' } } }],
		}),
	},
	{ field: `${C}env`, effect: 'honoured', pod: container({ env: [{ name: 'A', value: '1' }] }) },
	{ field: `${C}livenessProbe`, effect: 'held', pod: container({ livenessProbe: PROBE }) },
	{ field: `${C}readinessProbe`, effect: 'held', pod: container({ readinessProbe: PROBE }) },
	{ field: `${C}startupProbe`, effect: 'held', pod: container({ startupProbe: PROBE }) },
	{ field: `${C}lifecycle.postStart`, effect: 'held', pod: container({ lifecycle: { postStart: PROBE } }) },
	{
		field: `${C}lifecycle.preStop`,
		effect: 'held',
		pod: container({ lifecycle: { preStop: { sleep: { seconds: 1 } } } }),
	},
	{
		field: `${C}lifecycle.stopSignal`,
		effect: 'dropped',
		pod: container({ lifecycle: { stopSignal: 'SIGUSR1' } }),
	},
	{ field: `${C}stdin`, effect: 'held', pod: container({ stdin: true }) },
	{ field: `${C}tty`, effect: 'held', pod: container({ tty: true }) },
	{
		...{ field: `${C}ports`, effect: 'held' },
		pod: container({ ports: [{ containerPort: 80, hostPort: 80, hostIP: '127.0.0.1' }] }),
	},
	{
		field: `${C}ports`,
		effect: 'warned',
		pod: container({ ports: [{ containerPort: 80, hostPort: 8080 }] }),
	},
	{
		field: `${C}ports`,
		effect: 'harmless',
		pod: container({ ports: [{ containerPort: 80, hostPort: 80 }] }),
	},
	{
		field: `${C}resources.limits`,
		effect: 'warned',
		pod: container({ resources: { limits: { memory: '1Gi' } } }),
	},
	{
		field: `${C}resources.limits`,
		effect: 'honoured',
		pod: container({ resources: { limits: { 'acme.io/x': '1' } } }),
	},
	{
		field: `${C}resources.claims`,
		effect: 'unscheduled',
		pod: container({ resources: { claims: [{ name: 'gpu' }] } }),
	},
	{
		field: `${C}terminationMessagePath`,
		effect: 'held',
		pod: container({ terminationMessagePath: '/tmp/end' }),
	},
	{
		...{ field: `${C}terminationMessagePath`, effect: 'held' },
		pod: container({
			terminationMessagePath: '/dev/termination-log',
			command: ['sh', '-c', 'echo why > /dev/termination-log; exit 4'],
		}),
	},
	{
		...{ field: `${C}terminationMessagePath`, effect: 'harmless' },
		pod: container({ terminationMessagePath: '/dev/termination-log', command: ['true'] }),
	},
	...[secured, podSecured].flatMap((make): readonly Case[] => {
		const field = (name: string): string =>
			make === secured ? `${C}securityContext.${name}` : `spec.securityContext.${name}`;
		const unconfined = { type: 'Unconfined' };
		return [
			{
				...{ field: field('runAsNonRoot'), effect: 'held', pod: make({ runAsNonRoot: true }) },
				text: `container has runAsNonRoot and image will run as root ${WHO}`,
			},
			{
				...{ field: field('runAsNonRoot'), effect: 'held', traits: AS_USER },
				pod: make({ runAsNonRoot: true, runAsUser: 0 }),
				text: `container's runAsUser breaks non-root policy ${WHO}`,
			},
			{
				field: field('runAsNonRoot'),
				effect: 'honoured',
				traits: AS_USER,
				pod: make({ runAsNonRoot: true }),
			},
			{ field: field('runAsUser'), effect: 'held', pod: make({ runAsUser: 65534 }) },
			{ field: field('runAsUser'), effect: 'held', traits: AS_USER, pod: make({ runAsUser: 0 }) },
			{ field: field('runAsUser'), effect: 'honoured', pod: make({ runAsUser: 0 }) },
			{ field: field('runAsGroup'), effect: 'held', pod: make({ runAsGroup: 3000 }) },
			{ field: field('runAsGroup'), effect: 'honoured', traits: AS_USER, pod: make({ runAsGroup: 1000 }) },
			{
				field: field('seccompProfile'),
				effect: 'held',
				pod: make({ seccompProfile: { type: 'RuntimeDefault' } }),
			},
			{ field: field('seccompProfile'), effect: 'harmless', pod: make({ seccompProfile: unconfined }) },
			{
				field: field('appArmorProfile'),
				effect: 'held',
				pod: make({ appArmorProfile: { type: 'RuntimeDefault' } }),
			},
			{ field: field('appArmorProfile'), effect: 'harmless', pod: make({ appArmorProfile: unconfined }) },
			{ field: field('seLinuxOptions'), effect: 'held', pod: make({ seLinuxOptions: { level: 's0' } }) },
			{
				field: field('windowsOptions'),
				effect: 'held',
				pod: make({ windowsOptions: { runAsUserName: 'x' } }),
			},
		];
	}),
	{
		...{ field: 'metadata.annotations', effect: 'held' },
		pod: pod({}, {}, { 'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default' }),
	},
	{
		field: 'spec.securityContext.supplementalGroups',
		effect: 'held',
		pod: podSecured({ supplementalGroups: [4, 5] }),
	},
	{
		field: 'spec.securityContext.supplementalGroups',
		effect: 'honoured',
		pod: podSecured({ supplementalGroups: [0, 4] }),
	},
	{
		...{ field: 'spec.securityContext.supplementalGroupsPolicy', effect: 'held' },
		pod: podSecured({ supplementalGroupsPolicy: 'Strict' }),
	},
	{
		...{ field: 'spec.securityContext.supplementalGroupsPolicy', effect: 'harmless' },
		pod: podSecured({ supplementalGroupsPolicy: 'Merge' }),
	},
	{ field: 'spec.securityContext.fsGroup', effect: 'held', pod: podSecured({ fsGroup: 2000 }) },
	{ field: 'spec.securityContext.fsGroup', effect: 'honoured', pod: podSecured({ fsGroup: 4 }) },
	{
		...{ field: 'spec.securityContext.sysctls', effect: 'rejected' },
		pod: podSecured({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
		text: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
	},
	{
		...{ field: 'spec.securityContext.sysctls', effect: 'held' },
		pod: podSecured({ sysctls: [{ name: 'net/ipv4/tcp_syncookies', value: '1' }] }),
	},
	{ field: `${C}securityContext.privileged`, effect: 'held', pod: secured({ privileged: true }) },
	{
		...{ field: `${C}securityContext.allowPrivilegeEscalation`, effect: 'held' },
		pod: secured({ allowPrivilegeEscalation: false }),
	},
	{
		...{ field: `${C}securityContext.allowPrivilegeEscalation`, effect: 'harmless' },
		pod: secured({ allowPrivilegeEscalation: true }),
	},
	{
		field: `${C}securityContext.capabilities`,
		effect: 'held',
		pod: secured({ capabilities: { drop: ['ALL'] } }),
	},
	{
		field: `${C}securityContext.capabilities`,
		effect: 'held',
		pod: secured({ capabilities: { add: ['NET_ADMIN'] } }),
	},
	{
		field: `${C}securityContext.readOnlyRootFilesystem`,
		effect: 'held',
		pod: secured({ readOnlyRootFilesystem: true }),
	},
	{ field: `${C}securityContext.procMount`, effect: 'held', pod: secured({ procMount: 'Unmasked' }) },
	{ field: `${C}securityContext.procMount`, effect: 'harmless', pod: secured({ procMount: 'Default' }) },
];

for (const { field, effect, pod: given, traits = BARE, text } of CASES) {
	test(`${field} ${JSON.stringify(text ?? given.spec)} is ${effect}`, () => {
		const found = findingsOf(given, effect, traits).find(({ rule }) => rule.field === field);
		assert.ok(found, `no row applies; others: ${JSON.stringify(effectsOf(given, traits))}`);
		if (text !== undefined) assert.equal(found.text, text);
		assert.ok(found.hint.startsWith(found.path));
	});
}

function effectsOf(given: Pod, traits: RuntimeTraits): readonly string[] {
	const effects = new Set(FIELD_RULES.map(({ effect }) => effect));
	return [...effects].flatMap((effect) =>
		findingsOf(given, effect, traits).map(({ rule }) => `${rule.field} ${effect}`),
	);
}

/** Rows without a condition that are honoured or harmless need no case. */
function needsCase(rule: FieldRule): boolean {
	return rule.when !== undefined || (rule.effect !== 'honoured' && rule.effect !== 'harmless');
}

test('every row of the table has a case', () => {
	const hit = new Set(
		CASES.flatMap(({ effect, pod: given, traits = BARE }) =>
			findingsOf(given, effect, traits).map(({ rule }) => rule),
		),
	);
	const missing = FIELD_RULES.filter((rule) => needsCase(rule) && !hit.has(rule));
	assert.deepEqual(
		missing.map(({ field, effect, because }) => `${field} ${effect}: ${because}`),
		[],
	);
});

/** The fields whose parts have rows of their own; every other field has a row itself. */
const ENTERED: ReadonlySet<string> = new Set([
	'spec',
	'spec.securityContext',
	'spec.containers[]',
	'spec.containers[].securityContext',
	'spec.containers[].resources',
	'spec.containers[].lifecycle',
]);

function fieldsOf(node: SchemaNode, path: string): readonly string[] {
	if (node.type === 'list') return fieldsOf(node.items, `${path}[]`);
	if (node.type !== 'object' || !ENTERED.has(path)) return [];
	return Object.entries(node.fields).flatMap(([name, { schema }]) => {
		const at = `${path}.${name}`;
		return [at, ...fieldsOf(schema, at)];
	});
}

test('the table has exactly the fields of a Pod', () => {
	const known = fieldsOf(podSpecSchema, 'spec').filter((path) => !ENTERED.has(path));
	const rows = new Set(FIELD_RULES.map(({ field }) => field));
	assert.deepEqual(
		known.filter((field) => !rows.has(field)),
		[],
	);
	const inSchema = new Set([...known, 'metadata.annotations']);
	assert.deepEqual(
		[...rows].filter((field) => !inSchema.has(field)),
		[],
	);
});

test('a runtime that supports everything runs every Pod, except for fields that stint itself would have to support', () => {
	for (const { pod: given } of CASES) {
		for (const effect of ['held', 'unmounted', 'warned'] as const) {
			for (const { rule } of findingsOf(given, effect, EVERYTHING))
				assert.equal(rule.byStint, true, rule.field);
		}
	}
});

test('a runtime that supports one field accepts that field', () => {
	const given = container({ tty: true, stdin: true });
	const traits = { ...BARE, honours: new Set([`${C}tty`]) };
	assert.deepEqual(
		findingsOf(given, 'held', traits).map(({ path }) => path),
		['spec.containers[0].stdin'],
	);
});

/** Why the container at `index` is not started, init containers first. */
function firstHeldBack(given: Pod, index = 0): HoldBack | undefined {
	const place = placesIn(given)[index];
	assert.ok(place);
	return holdBack(given, place, BARE);
}

test('a field of a container overrides the one of its Pod', () => {
	const asRoot = { runAsUser: 0 };
	assert.equal(
		firstHeldBack(pod({ securityContext: { runAsUser: 1000 } }, { securityContext: asRoot })),
		undefined,
	);
});

test('fields of the container and of its Pod prevent its start, and the message names all of them', () => {
	const given = pod({
		initContainers: [{ name: 'i', tty: true, stdin: true }],
		containers: [{ name: 'c' }],
	});
	assert.equal(
		firstHeldBack(given)?.message,
		'spec.initContainers[0].stdin is not honoured: containers have no standard input yet: read from a file; ' +
			'spec.initContainers[0].tty is not honoured: containers have no terminal yet: remove the field',
	);
	assert.equal(firstHeldBack(given, 1), undefined);
	assert.match(firstHeldBack(pod({ hostUsers: false }))?.message ?? '', /^spec\.hostUsers is not honoured: /);
});

test("the message of a container that is not started is upstream's, and the hints name all fields", () => {
	const held = firstHeldBack(secured({ runAsNonRoot: true, readOnlyRootFilesystem: true }));
	assert.equal(held?.message, `container has runAsNonRoot and image will run as root ${WHO}`);
	assert.match(held?.hints ?? '', /runAsNonRoot.*run stint as another user; .*readOnlyRootFilesystem/);
});

test('the message for a Pod with many containers names the first ones', () => {
	const containers = Array.from({ length: 50 }, (_, index) => ({ name: `c${index}`, tty: true }));
	const text = hintsText(findingsOf(pod({ containers }), 'held', BARE));
	assert.match(text, /containers\[7\].*; and 42 more$/);
	assert.doesNotMatch(text, /containers\[8\]/);
});
