import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { leftOut } from '../../meta/dropped-fields.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { invalid, nonNegative } from '../../meta/field-errors.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import type { ResourceDefinition } from '../../meta/resource.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type Lease, leaseSchema } from './schema.ts';

const META = new FieldPath('metadata');
const SPEC = new FieldPath('spec');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** Where the Leases of nodes are, each under the name of its Node. */
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';

/** coordination.k8s.io/v1 Leases. */
export const leases: ResourceDefinition<Lease> = {
	group: 'coordination.k8s.io',
	version: 'v1',
	kind: 'Lease',
	resource: 'leases',
	singular: 'lease',
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: leaseSchema,
	defaults: (lease) => lease,
	controllerFields: [['spec']],
	strategy: {
		prepareForCreate: withoutElection,
		prepareForUpdate: withoutElection,
		validateCreate: validateLease,
		validateUpdate: (lease, old) => [
			...validateMetaUpdate(lease.metadata, old.metadata, META),
			...validateSpec(lease),
		],
		droppedFields: electionWarnings,
		allowUnconditionalUpdate: false,
	},
	columns: [
		nameColumn(),
		{
			name: 'Holder',
			type: 'string',
			description: 'Who holds it.',
			priority: 0,
			cell: ({ spec }) => spec.holderIdentity ?? '',
		},
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

const ELECTION_OFF = {
	because: 'its feature, CoordinatedLeaderElection, is off',
	instead: 'leave the election to those that want the lease',
};

function electionWarnings({ spec }: Lease): readonly string[] {
	const set = (['strategy', 'preferredHolder'] as const).filter((field) => spec[field] !== undefined);
	return set.map((field) => leftOut(SPEC.child(field), ELECTION_OFF));
}

/** The fields of coordinated leader election are dropped, as upstream does where that is off (its default). */
function withoutElection(lease: Lease): Lease {
	const { strategy: _strategy, preferredHolder: _holder, ...spec } = lease.spec;
	return { ...lease, spec };
}

function validateLease(lease: Lease): readonly FieldError[] {
	return [...validateMeta(lease.metadata, RULES, META), ...validateSpec(lease)];
}

function validateSpec({ spec: { leaseDurationSeconds, leaseTransitions } }: Lease): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
		errors.push(invalid(SPEC.child('leaseDurationSeconds'), leaseDurationSeconds, 'must be greater than 0'));
	}
	if (leaseTransitions !== undefined) {
		errors.push(...nonNegative(SPEC.child('leaseTransitions'), leaseTransitions));
	}
	return errors;
}
