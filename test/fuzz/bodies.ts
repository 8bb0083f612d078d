import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Dice } from '../simulation/dice.ts';
import { damage, mutate } from './mutate.ts';
import { type Json, strangeText, strangeValue } from './values.ts';

/** A body with its content type. */
export interface Body {
	readonly contentType: string;
	readonly bytes: Uint8Array;
}

/** An object that upstream's own code has encoded, in JSON and in protobuf. */
interface Sample {
	readonly kind: string;
	readonly json: string;
	readonly protobuf: Uint8Array;
}

const samples: readonly Sample[] = readFileSync(
	`${import.meta.dirname}/../../src/apiserver/http/protobuf-golden.jsonl`,
	'utf8',
)
	.trim()
	.split('\n')
	.map((line) => {
		const { kind, protobuf, json } = JSON.parse(line);
		return { kind, json: JSON.stringify(json), protobuf: Buffer.from(protobuf, 'base64') };
	});

/** Valid objects, so that later requests find existing ones. */
const SOUND: Readonly<Record<string, Json>> = {
	Job: {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'a', labels: { app: 'x' } },
		spec: {
			suspend: true,
			parallelism: 1,
			completions: 2,
			template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } },
		},
	},
	CronJob: {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'a' },
		spec: {
			schedule: '0 0 1 1 *',
			suspend: true,
			jobTemplate: {
				spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
			},
		},
	},
	Deployment: {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name: 'a' },
		spec: {
			replicas: 0,
			selector: { matchLabels: { app: 'd' } },
			strategy: { rollingUpdate: { maxSurge: '50%' } },
			template: {
				metadata: { labels: { app: 'd' } },
				spec: { containers: [{ name: 'c', image: 'i' }] },
			},
		},
	},
	ReplicaSet: {
		apiVersion: 'apps/v1',
		kind: 'ReplicaSet',
		metadata: { name: 'a' },
		spec: {
			replicas: 0,
			selector: { matchLabels: { app: 'r' } },
			template: {
				metadata: { labels: { app: 'r' } },
				spec: { containers: [{ name: 'c', image: 'i' }] },
			},
		},
	},
	ReplicationController: {
		apiVersion: 'v1',
		kind: 'ReplicationController',
		metadata: { name: 'a' },
		spec: {
			replicas: 0,
			template: {
				metadata: { labels: { app: 'c' } },
				spec: { containers: [{ name: 'c', image: 'i' }] },
			},
		},
	},
	Scale: {
		apiVersion: 'autoscaling/v1',
		kind: 'Scale',
		metadata: { name: 'a' },
		spec: { replicas: 1 },
	},
	Pod: {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'a' },
		spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: '1' }] }] },
	},
	ConfigMap: {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: { name: 'a' },
		data: { key: 'value' },
		binaryData: { raw: 'AP8=' },
	},
	Secret: {
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: { name: 'a' },
		type: 'kubernetes.io/basic-auth',
		data: { username: 'YQ==' },
		stringData: { password: 'b' },
	},
	ServiceAccount: {
		apiVersion: 'v1',
		kind: 'ServiceAccount',
		metadata: { name: 'a' },
		secrets: [{ name: 'a' }],
		imagePullSecrets: [{ name: 'b' }],
	},
	TokenRequest: {
		apiVersion: 'authentication.k8s.io/v1',
		kind: 'TokenRequest',
		spec: { expirationSeconds: 600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'a' } },
	},
	TokenReview: {
		apiVersion: 'authentication.k8s.io/v1',
		kind: 'TokenReview',
		spec: { token: 'a.b.c', audiences: ['a'] },
	},
	SelfSubjectAccessReview: {
		apiVersion: 'authorization.k8s.io/v1',
		kind: 'SelfSubjectAccessReview',
		spec: { nonResourceAttributes: { verb: 'get', path: '/metrics' } },
	},
	SelfSubjectRulesReview: {
		apiVersion: 'authorization.k8s.io/v1',
		kind: 'SelfSubjectRulesReview',
		spec: { namespace: 'default' },
	},
	SubjectAccessReview: {
		apiVersion: 'authorization.k8s.io/v1',
		kind: 'SubjectAccessReview',
		spec: {
			user: 'a',
			groups: ['b'],
			extra: { c: ['d'] },
			resourceAttributes: {
				verb: 'list',
				resource: 'pods',
				namespace: 'default',
				labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] },
				fieldSelector: { rawSelector: 'metadata.name=a' },
			},
		},
	},
	LocalSubjectAccessReview: {
		apiVersion: 'authorization.k8s.io/v1',
		kind: 'LocalSubjectAccessReview',
		spec: { user: 'a', resourceAttributes: { verb: 'get', resource: 'jobs', namespace: 'default' } },
	},
	Lease: {
		apiVersion: 'coordination.k8s.io/v1',
		kind: 'Lease',
		metadata: { name: 'a' },
		spec: { holderIdentity: 'x', renewTime: '2026-01-01T00:00:00.000000Z' },
	},
	RuntimeClass: {
		apiVersion: 'node.k8s.io/v1',
		kind: 'RuntimeClass',
		metadata: { name: 'a' },
		handler: 'a',
	},
	PodDisruptionBudget: {
		apiVersion: 'policy/v1',
		kind: 'PodDisruptionBudget',
		metadata: { name: 'a' },
		spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
	},
	PersistentVolume: {
		apiVersion: 'v1',
		kind: 'PersistentVolume',
		metadata: { name: 'a' },
		spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } },
	},
	PersistentVolumeClaim: {
		apiVersion: 'v1',
		kind: 'PersistentVolumeClaim',
		metadata: { name: 'a' },
		spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
	},
	Service: {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name: 'a' },
		spec: {
			type: 'NodePort',
			selector: { app: 'x' },
			ports: [{ name: 'p', port: 80, targetPort: 'web', nodePort: 30_080 }],
		},
	},
	Endpoints: {
		apiVersion: 'v1',
		kind: 'Endpoints',
		metadata: { name: 'a' },
		subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }],
	},
	EndpointSlice: {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: { name: 'a', labels: { 'kubernetes.io/service-name': 'a' } },
		addressType: 'IPv4',
		endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
		ports: [{ name: 'p', port: 80 }],
	},
	IPAddress: {
		apiVersion: 'networking.k8s.io/v1',
		kind: 'IPAddress',
		metadata: { name: '10.0.0.1' },
		spec: { parentRef: { resource: 'services', namespace: 'default', name: 'a' } },
	},
	ServiceCIDR: {
		apiVersion: 'networking.k8s.io/v1',
		kind: 'ServiceCIDR',
		metadata: { name: 'a' },
		spec: { cidrs: ['127.100.0.0/24'] },
	},
	StorageClass: {
		apiVersion: 'storage.k8s.io/v1',
		kind: 'StorageClass',
		metadata: { name: 'a' },
		provisioner: 'example.com/p',
	},
	Event: {
		apiVersion: 'v1',
		kind: 'Event',
		metadata: { name: 'a' },
		involvedObject: { kind: 'Job', namespace: 'default', name: 'a' },
		reason: 'Tested',
		message: 'text',
		type: 'Normal',
	},
};

/** Draws the body of a request that expects an object of this kind, or of any kind if it is undefined. */
export function drawBody(dice: Dice, kind: string | undefined): Body {
	const asItIs = kind === undefined ? undefined : SOUND[kind];
	if (asItIs && dice.chance(0.25))
		return { contentType: 'application/json', bytes: Buffer.from(JSON.stringify(asItIs)) };
	const alike = samples.filter((each) => each.kind === kind);
	const sample = dice.of(...atLeastOne(dice.chance(0.9) && alike.length > 0 ? alike : samples));
	const body = encode(dice, dice.chance(0.6) ? (kind ? SOUND[kind] : undefined) : undefined, sample);
	return dice.chance(0.15) ? { ...body, bytes: damage(dice, body.bytes) } : body;
}

function encode(dice: Dice, sound: Json | undefined, sample: Sample): Body {
	if (dice.chance(0.12))
		return { contentType: 'application/vnd.kubernetes.protobuf', bytes: mutated(dice, sample.protobuf) };
	const object: Json = structuredClone(sound ?? JSON.parse(sample.json));
	if (dice.chance(0.7)) mutate(dice, object);
	if (dice.chance(0.25)) return { contentType: 'application/yaml', bytes: yamlOf(dice, object) };
	const contentType = dice.of('application/json', 'application/json; charset=utf-8', 'text/plain', '');
	return { contentType, bytes: Buffer.from(jsonOf(dice, object)) };
}

function mutated(dice: Dice, bytes: Uint8Array): Uint8Array {
	return dice.chance(0.5) ? damage(dice, bytes) : bytes;
}

/** Adds what only JSON text can contain: a BOM, a second document, a duplicate key, huge numbers. */
function jsonOf(dice: Dice, object: Json): string {
	const text = JSON.stringify(object);
	switch (dice.between(0, 19)) {
		case 0:
			return `\ufeff${text}`;
		case 1:
			return `${text}\n${text}`;
		case 2:
			return text.replace('{', '{"kind":"Twice",');
		case 3:
			return text.replace(/:\d+/, ':9223372036854775808');
		case 4:
			return text.replace(/:\d+/, ':1e999');
		case 5:
			return '['.repeat(dice.between(1, 100_000));
		default:
			return text;
	}
}

/** Adds what only YAML text can contain: anchors, tags, merge keys, several documents, directives. */
function yamlOf(dice: Dice, object: Json): Uint8Array {
	const text = stringify(object);
	switch (dice.between(0, 9)) {
		case 0:
			return Buffer.from(`---\n${text}---\n${text}`);
		case 1:
			return Buffer.from(`%YAML 1.${dice.between(0, 3)}\n---\n${text}`);
		case 2:
			return Buffer.from(`x: &x {y: 1}\n<<: *x\n${text}`);
		case 3:
			return Buffer.from(`a: &a [${strangeText(dice)}]\nb: *a\nc: *missing\n${text}`);
		case 4:
			return Buffer.from(text.replace(/: (\w+)$/m, ': !!binary $1'));
		case 5:
			return Buffer.from(text.replace(/^( *)/m, '$1\t'));
		default:
			return Buffer.from(text);
	}
}

/** Draws a patch of one of the patch types, or of an unknown type. */
export function drawPatch(dice: Dice, kind: string | undefined): Body {
	const contentType = dice.of(
		'application/json-patch+json',
		'application/merge-patch+json',
		'application/strategic-merge-patch+json',
		'application/apply-patch+yaml',
		'application/json',
	);
	const patch = contentType === 'application/json-patch+json' ? operations(dice) : mergePatch(dice, kind);
	const bytes = Buffer.from(jsonOf(dice, patch));
	return { contentType, bytes: dice.chance(0.1) ? damage(dice, bytes) : bytes };
}

function mergePatch(dice: Dice, kind: string | undefined): Json {
	const patch: Json = structuredClone((kind ? SOUND[kind] : undefined) ?? {});
	mutate(dice, patch);
	if (dice.chance(0.3) && patch !== null && typeof patch === 'object' && !Array.isArray(patch)) {
		patch.metadata = {
			labels: { [strangeText(dice)]: strangeText(dice) },
			$patch: dice.of('delete', 'replace', 'merge', 'x'),
			$retainKeys: [strangeText(dice)],
			'$deleteFromPrimitiveList/finalizers': [strangeText(dice)],
			'$setElementOrder/ownerReferences': [strangeValue(dice)],
		};
	}
	return patch;
}

const PATHS = [
	'',
	'/',
	'/metadata/labels/a',
	'/metadata/labels',
	'/metadata/annotations/x~1y',
	'/metadata/finalizers/-',
	'/metadata/finalizers/0',
	'/spec',
	'/spec/template/spec/containers/0/image',
	'/spec/containers/-',
	'/spec/parallelism',
	'/status/conditions/0',
	'/constructor/prototype',
	'/__proto__/x',
	'~',
	'a',
] as const;

function operations(dice: Dice): Json {
	const count = dice.between(0, dice.chance(0.05) ? 500 : 5);
	return Array.from({ length: count }, () => ({
		op: dice.of('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
		path: pathText(dice),
		...(dice.chance(0.5) && { from: pathText(dice) }),
		...(dice.chance(0.8) && { value: strangeValue(dice) }),
	}));
}

function pathText(dice: Dice): string {
	return dice.chance(0.05) ? '/a'.repeat(dice.between(1, 5000)) : dice.of(...PATHS);
}

/** Narrows a list to a non-empty one; throws if it is empty. */
function atLeastOne<T>(items: readonly T[]): [T, ...T[]] {
	const [first, ...rest] = items;
	if (first === undefined) throw new Error('an empty list has nothing to draw from');
	return [first, ...rest];
}
