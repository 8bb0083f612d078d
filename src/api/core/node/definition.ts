import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { chosen, duplicate, fieldForbidden, fieldInvalid, malformed } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { findCondition } from '../../meta/conditions.ts';
import { dns1123Subdomain, labelValue, qualifiedName } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { withField, withoutField } from '../../schema/defaults.ts';
import { leftOut } from '../../schema/dropped-fields.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { TAINT_EFFECTS } from '../pod/validation/affinity.ts';
import { validateQuantity } from '../pod/validation/resources.ts';
import { type Node, nodeSchema, type Taint } from './schema.ts';

const META = new FieldPath('metadata');
/** Nodes are named after their hosts, which may have a domain (upstream: `ValidateNodeName`). */
const RULES = { namespaced: false, name: dns1123Subdomain };
/** Prefix of the labels from which kubectl makes the column ROLES (upstream: `findNodeRoles`). */
const ROLE_PREFIX = 'node-role.kubernetes.io/';

/**
 * v1 Nodes: registry definition, validation and printer columns. Upstream:
 * pkg/registry/core/node/strategy.go, `ValidateNode` and `ValidateNodeUpdate` in pkg/apis/core/validation,
 * `printNode` in pkg/printers/internalversion.
 */
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
	// A node agent that reserves nothing may report only its capacity; the scheduler reads allocatable.
	defaults: (node) => {
		const { capacity, allocatable } = node.status;
		return capacity && !allocatable ? { ...node, status: { ...node.status, allocatable: capacity } } : node;
	},
	// The node lifecycle controller adds taints, also to a Node that has its author's maximum of them.
	controllerFields: [['spec', 'taints']],
	// Upstream: `nodeStrategy`. Each Node is written by its own agent, and by controllers for the spec.
	strategy: {
		// The status is kept, unlike that of other kinds: a node agent registers its Node in a single request.
		prepareForCreate: (node) => withoutPreemptionPolicy(node),
		prepareForUpdate: (node, old) => ({ ...withoutPreemptionPolicy(node, old), status: old.status }),
		droppedFields: (node, old) =>
			withoutPreemptionPolicy(node, old) === node
				? []
				: [leftOut(SPEC.child('podPreemptionPolicy'), PREEMPTION_POLICY_OFF)],
		validateCreate: validateNode,
		validateUpdate: (node, old) => [...validateNode(node), ...validateNodeUpdate(node, old)],
		allowUnconditionalUpdate: true,
	},
	status: {
		prepareForUpdate: (node, old) => ({ ...node, spec: old.spec }),
		validateUpdate: validateNodeUpdate,
	},
	columns: [
		nameColumn(),
		textColumn(
			'Status',
			'Ready, NotReady or Unknown, and SchedulingDisabled if the Node is cordoned.',
			statusOf,
		),
		textColumn('Roles', 'Roles of the Node, from its labels.', rolesOf),
		ageColumn(),
		textColumn(
			'Version',
			'Version of the node agent.',
			({ status }) => status.nodeInfo?.kubeletVersion ?? '',
		),
		wideColumn('Internal-IP', 'IP address within the cluster.', (node) => addressOf(node, 'InternalIP')),
		wideColumn('External-IP', 'IP address that is reachable from outside.', (node) =>
			addressOf(node, 'ExternalIP'),
		),
		wideColumn(
			'OS-Image',
			'Name and version of the operating system.',
			({ status }) => status.nodeInfo?.osImage || '<unknown>',
		),
		wideColumn('Kernel-Version', 'Version of the kernel, and the architecture.', kernelOf),
		wideColumn('Container-Runtime', 'Name and version of the container runtime.', ({ status }) => {
			return status.nodeInfo?.containerRuntimeVersion || '<unknown>';
		}),
	],
	selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
	deletion: { defaultPropagation: 'Background' },
};

const PREEMPTION_POLICY_OFF = {
	because: 'its feature, InPlacePodVerticalScalingSchedulerPreemption, is alpha and therefore off',
	instead: 'remove the field',
};

/** Drops the field of a feature that is off, unless the stored Node has it (upstream: `dropDisabledFields`). */
function withoutPreemptionPolicy(node: Node, old?: Node): Node {
	if (old?.spec.podPreemptionPolicy) return node;
	return withField(node, 'spec', (spec) => withoutField(spec, 'podPreemptionPolicy'));
}

/** Upstream: `ValidateNode`. Labels, addresses and conditions have no rules: node agents of other versions may write them. */
function validateNode(node: Node): readonly FieldError[] {
	return [
		...validateMeta(node.metadata, RULES, META),
		...validateTaints(node.spec.taints ?? [], META.child('taints')),
		...validateAmounts(node),
	];
}

/** The errors of an update: addresses must be unique, and identifiers cannot be changed once they are set. */
function validateNodeUpdate(node: Node, old: Node): readonly FieldError[] {
	const errors = [...validateMetaUpdate(node.metadata, old.metadata, META), ...validateAmounts(node)];
	const addresses = new Set<string>();
	for (const [index, address] of (node.status.addresses ?? []).entries()) {
		const identity = `${address.type}/${address.address}`;
		if (addresses.has(identity)) {
			errors.push(duplicate(new FieldPath('status').child('addresses').index(index), address));
		}
		addresses.add(identity);
	}
	// A Node that changed them would be another machine: Pods and routes refer to these identifiers.
	const { podCIDRs = [], providerID, externalID } = old.spec;
	if (podCIDRs.length > 0 && !semanticEqual(podCIDRs, node.spec.podCIDRs)) {
		const detail = 'node updates may not change podCIDR except from "" to valid';
		errors.push(fieldForbidden(SPEC.child('podCIDRs'), detail));
	}
	if (providerID && providerID !== node.spec.providerID) {
		const detail = 'node updates may not change providerID except from "" to valid';
		errors.push(fieldForbidden(SPEC.child('providerID'), detail));
	}
	errors.push(...validateTaints(node.spec.taints ?? [], META.child('taints')));
	if ((externalID ?? '') !== (node.spec.externalID ?? '')) {
		errors.push(fieldForbidden(SPEC.child('externalID'), 'may not be updated'));
	}
	return errors;
}

/**
 * Amounts of resources must be quantities, and integers for those that cannot be divided (upstream:
 * `ValidateNodeResources`). Capacity and allocatable are not compared: an agent may report them one after the other.
 */
function validateAmounts({ status }: Node): readonly FieldError[] {
	return (['capacity', 'allocatable'] as const).flatMap((field) =>
		Object.entries(status[field] ?? {}).flatMap(([resource, quantity]) =>
			validateQuantity(resource, quantity, new FieldPath('status').child(field, resource)),
		),
	);
}

/**
 * Validates taints. `path` is in the metadata: upstream reports them there, although they are in the spec.
 */
function validateTaints(taints: readonly Taint[], path: FieldPath): readonly FieldError[] {
	const seen = new Set<string>();
	return taints.flatMap((taint, index) => {
		const at = path.index(index);
		const { key, value = '', effect } = taint;
		const errors = [...malformed(at.child('key'), key, qualifiedName(key))];
		const problems = labelValue(value);
		if (problems.length > 0) errors.push(fieldInvalid(at.child('value'), value, problems.join(';')));
		errors.push(...chosen(at.child('effect'), effect, TAINT_EFFECTS));
		const identity = `${key}:${effect}`;
		if (seen.has(identity)) {
			const { message, ...error } = duplicate(at, taint);
			errors.push({ ...error, message: `${message}: taints must be unique by key and effect pair` });
		}
		seen.add(identity);
		return errors;
	});
}

/** STATUS column: a Node without the condition Ready has never reported, and is Unknown. */
function statusOf({ spec, status }: Node): string {
	const ready = findCondition(status.conditions, 'Ready');
	const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
	if (spec.unschedulable) words.push('SchedulingDisabled');
	return words.join(',');
}

/** Column KERNEL-VERSION: `6.8.0 (arm64)`; the architecture is missing in Nodes of older agents. */
function kernelOf({ status }: Node): string {
	const { kernelVersion = '', architecture = '' } = status.nodeInfo ?? {};
	const kernel = kernelVersion || '<unknown>';
	return architecture === '' ? kernel : `${kernel} (${architecture})`;
}

/**
 * Roles from labels `node-role.kubernetes.io/<role>` and `kubernetes.io/role: <role>`, as kubectl shows them.
 */
function rolesOf({ metadata }: Node): string {
	const roles: string[] = [];
	for (const [key, value] of Object.entries(metadata.labels ?? {})) {
		if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
			roles.push(key.slice(ROLE_PREFIX.length));
		else if (key === 'kubernetes.io/role' && value !== '') roles.push(value);
	}
	return [...new Set(roles)].sort().join(',') || '<none>';
}

/** The first address of a type (upstream: `getNodeInternalIP` and `getNodeExternalIP`). */
function addressOf({ status }: Node, type: string): string {
	return status.addresses?.find((address) => address.type === type)?.address ?? '<none>';
}
