import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { fieldInvalid, fieldRequired, immutable } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import type { ObjectMeta } from '../../meta/object-meta.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { parseIpRange, validateCanonicalIpRange } from '../../network/ip-address.ts';
import { type ServiceCidr, serviceCidrSchema } from './schema.ts';

const META = new FieldPath('metadata');
const CIDRS = SPEC.child('cidrs');
const RULES = { namespaced: false, name: dns1123Subdomain };
const MOST_CIDRS = 2;

/** The name of the ServiceCIDR with the range of the server (upstream: `DefaultServiceCIDRName`). */
export const DEFAULT_SERVICE_CIDR = 'kubernetes';

/** The finalizer that keeps a ServiceCIDR while Services have addresses of it alone. */
export const SERVICE_CIDR_FINALIZER = 'networking.k8s.io/service-cidr-finalizer';

/** Type of the condition that is True while addresses are allocated from the ranges. */
export const SERVICE_CIDR_READY = 'Ready';

/**
 * networking.k8s.io/v1 ServiceCIDRs: registry definition, validation and printer columns. Upstream:
 * pkg/registry/networking/servicecidr/strategy.go and `ValidateServiceCIDR` in pkg/apis/networking/validation.
 */
export const serviceCidrs: ResourceDefinition<ServiceCidr> = {
	group: 'networking.k8s.io',
	version: 'v1',
	kind: 'ServiceCIDR',
	resource: 'servicecidrs',
	singular: 'servicecidr',
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: serviceCidrSchema,
	defaults: (given) => given,
	strategy: {
		prepareForCreate: (given) => ({ ...given, status: {} }),
		prepareForUpdate: (given, old) => ({ ...given, status: old.status }),
		validateCreate: ({ metadata, spec }) => [...validateMeta(metadata, RULES, META), ...validateSpec(spec)],
		validateUpdate: (given, old) => [
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...validateChange(given.spec, old.spec),
		],
		allowUnconditionalUpdate: true,
	},
	status: {
		prepareForUpdate: (given, old) => ({
			...given,
			metadata: metaForStatus(given.metadata, old.metadata),
			spec: old.spec,
		}),
		validateUpdate: ({ metadata }, old) => validateMetaUpdate(metadata, old.metadata, META),
	},
	columns: [
		nameColumn(),
		textColumn('CIDRs', 'Ranges from which addresses of Services are allocated.', ({ spec }) =>
			(spec.cidrs ?? []).join(','),
		),
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

type Spec = ServiceCidr['spec'];

function validateSpec({ cidrs = [] }: Spec): readonly FieldError[] {
	if (cidrs.length === 0) return [fieldRequired(CIDRS, 'at least one CIDR required')];
	// Upstream shows its internal type, whose field has no name in JSON.
	if (cidrs.length > MOST_CIDRS)
		return [fieldInvalid(CIDRS, { CIDRs: cidrs }, 'may only hold up to 2 values')];
	const errors = cidrs.flatMap((cidr, index) => validateCanonicalIpRange(cidr, CIDRS.index(index)));
	const [first, second] = cidrs.map((cidr) => parseIpRange(cidr)?.address.family);
	if (first === undefined || first !== second) return errors;
	const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
	return [...errors, fieldInvalid(CIDRS, cidrs, detail)];
}

/** A range can only be added, to have both families (upstream: `ValidateServiceCIDRUpdate`). */
function validateChange(spec: Spec, old: Spec): readonly FieldError[] {
	const { cidrs = [] } = spec;
	const { cidrs: before = [] } = old;
	const gainsFamily = before.length === 1 && cidrs.length === 2;
	if (cidrs.length !== before.length && !gainsFamily) return [immutable(CIDRS, cidrs)];
	const changed = before.flatMap((cidr, index) =>
		cidrs[index] === cidr ? [] : immutable(CIDRS.index(index), cidrs[index]),
	);
	return gainsFamily ? [...changed, ...validateSpec(spec)] : changed;
}

/** An update of the status changes nothing else (upstream: `ResetObjectMetaForStatus`). */
function metaForStatus({ uid, resourceVersion, managedFields }: ObjectMeta, old: ObjectMeta): ObjectMeta {
	const { managedFields: _replaced, ...kept } = old;
	return {
		...kept,
		...(uid && { uid }),
		...(resourceVersion && { resourceVersion }),
		...(managedFields && { managedFields }),
	};
}
