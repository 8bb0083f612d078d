import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { fieldInvalid, nonNegative } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { leftOut } from '../../schema/dropped-fields.ts';
import { type Lease, leaseSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** Namespace of the Leases by which node agents send heartbeats; each Lease has the name of its Node. */
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';

/**
 * coordination.k8s.io/v1 Leases: registry definition and validation. Upstream:
 * pkg/registry/coordination/lease.
 */
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
			description: 'Identity of the holder.',
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
	instead: 'let the candidates elect the holder themselves: each tries to acquire the Lease',
};

function electionWarnings({ spec }: Lease): readonly string[] {
	const set = (['strategy', 'preferredHolder'] as const).filter((field) => spec[field] !== undefined);
	return set.map((field) => leftOut(SPEC.child(field), ELECTION_OFF));
}

/**
 * The Lease without the fields of coordinated leader election. Upstream drops them too while the feature gate
 * CoordinatedLeaderElection is off, which is its default.
 */
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
		errors.push(
			fieldInvalid(SPEC.child('leaseDurationSeconds'), leaseDurationSeconds, 'must be greater than 0'),
		);
	}
	if (leaseTransitions !== undefined) {
		errors.push(...nonNegative(SPEC.child('leaseTransitions'), leaseTransitions));
	}
	return errors;
}
