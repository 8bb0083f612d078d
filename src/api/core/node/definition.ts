import { ageColumn, nameColumn } from '../../meta/columns.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { duplicate, invalid, notSupported, required } from '../../meta/field-errors.ts';
import { dns1123Subdomain, labelValue, qualifiedName } from '../../meta/names.ts';
import type { Column, ResourceDefinition } from '../../meta/resource.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type Node, nodeSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: false, name: dns1123Subdomain };
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const ROLE_PREFIX = 'node-role.kubernetes.io/';

function text(name: string, priority: 0 | 1, description: string, cell: Column<Node>['cell']): Column<Node> {
	return { name, type: 'string', priority, description, cell };
}

/** v1 Nodes. */
export const nodes: ResourceDefinition<Node> = {
	group: '',
	version: 'v1',
	kind: 'Node',
	resource: 'nodes',
	singular: 'node',
	shortNames: ['no'],
	categories: [],
	namespaced: false,
	schema: nodeSchema,
	defaults: (node) => {
		const { capacity, allocatable } = node.status;
		return capacity && !allocatable ? { ...node, status: { ...node.status, allocatable: capacity } } : node;
	},
	strategy: {
		prepareForCreate: (node) => node,
		prepareForUpdate: (node, old) => ({ ...node, status: old.status }),
		validateCreate: (node) => [...validateMeta(node.metadata, RULES, META), ...validateTaints(node)],
		validateUpdate: (node, old) => [
			...validateMetaUpdate(node.metadata, old.metadata, META),
			...validateTaints(node),
		],
		allowUnconditionalUpdate: true,
	},
	status: {
		prepareForUpdate: (node, old) => ({ ...node, spec: old.spec }),
		validateUpdate: (node, old) => validateMetaUpdate(node.metadata, old.metadata, META),
	},
	columns: [
		nameColumn(),
		text('Status', 0, 'Whether it is ready and takes Pods.', statusOf),
		text('Roles', 0, 'Its roles.', rolesOf),
		ageColumn(),
		text('Version', 0, 'Version of its node agent.', ({ status }) => status.nodeInfo?.kubeletVersion ?? ''),
		text('Internal-IP', 1, 'Its address inside.', (node) => addressOf(node, 'InternalIP')),
		text('External-IP', 1, 'Its address outside.', (node) => addressOf(node, 'ExternalIP')),
		text('OS-Image', 1, 'Its operating system.', ({ status }) => status.nodeInfo?.osImage || '<unknown>'),
		text('Kernel-Version', 1, 'Its kernel.', ({ status }) => status.nodeInfo?.kernelVersion || '<unknown>'),
		text('Container-Runtime', 1, 'What runs its containers.', ({ status }) => {
			return status.nodeInfo?.containerRuntimeVersion || '<unknown>';
		}),
	],
	selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
	deletion: { defaultPropagation: 'Background' },
};

function validateTaints({ spec }: Node): readonly FieldError[] {
	const path = new FieldPath('spec').child('taints');
	const seen = new Set<string>();
	return (spec.taints ?? []).flatMap((taint, index) => {
		const at = path.index(index);
		const errors: FieldError[] = [
			...qualifiedName(taint.key).map((problem) => invalid(at.child('key'), taint.key, problem)),
			...labelValue(taint.value ?? '').map((problem) => invalid(at.child('value'), taint.value, problem)),
		];
		const effect: string = taint.effect;
		if (effect === '') errors.push(required(at.child('effect')));
		else if (!EFFECTS.includes(effect)) errors.push(notSupported(at.child('effect'), effect, EFFECTS));
		const identity = `${taint.key}:${effect}`;
		if (seen.has(identity)) errors.push(duplicate(at, `taints must be unique by key and effect pair`));
		seen.add(identity);
		return errors;
	});
}

function statusOf({ spec, status }: Node): string {
	const ready = status.conditions?.find(({ type }) => type === 'Ready');
	const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
	if (spec.unschedulable) words.push('SchedulingDisabled');
	return words.join(',');
}

function rolesOf({ metadata }: Node): string {
	const roles: string[] = [];
	for (const [key, value] of Object.entries(metadata.labels ?? {})) {
		if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
			roles.push(key.slice(ROLE_PREFIX.length));
		else if (key === 'kubernetes.io/role' && value !== '') roles.push(value);
	}
	return roles.length > 0 ? roles.sort().join(',') : '<none>';
}

function addressOf({ status }: Node, type: string): string {
	return status.addresses?.find((address) => address.type === type)?.address ?? '<none>';
}
