import assert from 'node:assert/strict';
import test from 'node:test';
import { FieldPath } from '../../errors/field-path.ts';
import { decode } from '../../schema/decode.ts';
import { pods } from './definition.ts';
import { podSchema, podTemplateSpecSchema } from './schema.ts';
import { podTemplateWarnings } from './warnings.ts';

function warnings(spec: object, name = 'p'): readonly string[] {
	const json = { metadata: { name }, spec: { containers: [{ name: 'main', image: 'a:1' }], ...spec } };
	return pods.strategy.warnings?.(pods.defaults(decode(podSchema, json).value), undefined) ?? [];
}

const container = (given: object): object => ({ containers: [{ name: 'main', image: 'a:1', ...given }] });

test('a create warns of valid values that are probably mistakes', () => {
	const port = { containerPort: 80 };
	const required = 'requiredDuringSchedulingIgnoredDuringExecution';
	const rows: readonly (readonly [spec: object, ...warnings: readonly string[]])[] = [
		[{}],
		[
			{ nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
			'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
		],
		[
			{ affinity: { podAffinity: { [required]: [{ topologyKey: 'zone' }] } } },
			`spec.affinity.podAffinity.${required}[0].labelSelector: a null labelSelector results in matching no pod`,
		],
		[
			{
				topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
			},
			'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
		],
		[
			{ volumes: [{ name: 'v', gitRepo: { repository: 'r' } }] },
			'spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+',
		],
		[
			{ hostAliases: [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }] },
			'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
		],
		[
			{ imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] },
			'spec.imagePullSecrets[1].name: duplicate name "a"',
			'spec.imagePullSecrets[2].name: invalid empty name ""',
		],
		[
			container({ resources: { requests: { memory: '100m' } } }),
			'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
		],
		[
			container({
				env: [
					{ name: 'A', value: '1' },
					{ name: 'A', value: '$(A)2' },
				],
			}),
		],
		[
			container({
				env: [
					{ name: 'A', value: '1' },
					{ name: 'A', value: '2' },
				],
			}),
			'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
		],
		[
			container({ ports: [port, { ...port, hostPort: 8080 }] }),
			'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
		],
		[
			{
				containers: [
					{ name: 'a', ports: [{ ...port, name: 'x' }] },
					{ name: 'b', ports: [{ containerPort: 81, name: 'x' }] },
				],
			},
			'spec.containers[1].ports[0]: duplicate port name "x" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
		],
		[{ terminationGracePeriodSeconds: -1 }],
	];
	for (const [spec, ...expected] of rows) assert.deepEqual(warnings(spec), expected, JSON.stringify(spec));
});

test('a template with a negative grace period gives a warning', () => {
	const spec = { containers: [{ name: 'main', image: 'a:1' }], terminationGracePeriodSeconds: -1 };
	const template = decode(podTemplateSpecSchema, { spec }).value;
	assert.deepEqual(podTemplateWarnings(template, new FieldPath('spec.template')), [
		'spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
	]);
});

test('a create, but no update, warns of a Pod name that is no DNS label', () => {
	assert.deepEqual(warnings({}, 'a.b'), [
		"metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
	]);
	const pod = decode(podSchema, { metadata: { name: 'a.b' }, spec: { containers: [] } }).value;
	assert.deepEqual(pods.strategy.warnings?.(pod, pod), []);
});
