import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { fieldRequired, immutable, malformed } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../errors/field-path.ts';
import { nameColumn, textColumn } from '../../meta/columns.ts';
import { dns1123Subdomain, pathSegmentName } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { canonicalIpProblem } from '../../network/ip-address.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { type IpAddressObject, ipAddressSchema, type ParentReference } from './schema.ts';

const META = new FieldPath('metadata');
const PARENT = SPEC.child('parentRef');
const RULES = { namespaced: false, name: addressName };

/**
 * networking.k8s.io/v1 IPAddresses: registry definition, validation and printer columns. Upstream:
 * pkg/registry/networking/ipaddress/strategy.go and `ValidateIPAddress` in pkg/apis/networking/validation.
 */
export const ipAddresses: ResourceDefinition<IpAddressObject> = {
	group: 'networking.k8s.io',
	version: 'v1',
	kind: 'IPAddress',
	resource: 'ipaddresses',
	singular: 'ipaddress',
	shortNames: ['ip'],
	categories: [],
	namespaced: false,
	schema: ipAddressSchema,
	defaults: (given) => given,
	strategy: {
		prepareForCreate: (given) => given,
		prepareForUpdate: (given) => given,
		validateCreate: validateIpAddress,
		validateUpdate: (given, old) => [
			...validateIpAddress(given),
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...(semanticEqual(given.spec.parentRef, old.spec.parentRef)
				? []
				: [immutable(PARENT, given.spec.parentRef)]),
		],
		allowUnconditionalUpdate: true,
		// With a suffix, no name would be an address (upstream: `noopNameGenerator`).
		namesWithoutSuffix: true,
	},
	// As upstream, which has no column with the age.
	columns: [
		nameColumn(),
		textColumn('ParentRef', 'Object that has the address.', ({ spec }) => parentText(spec.parentRef)),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

/** Requires an address in canonical form. */
function addressName(name: string): readonly string[] {
	const problem = canonicalIpProblem(name);
	return problem === undefined ? [] : [problem];
}

function validateIpAddress({ metadata, spec }: IpAddressObject): readonly FieldError[] {
	return [...validateMeta(metadata, RULES, META), ...validateParent(spec.parentRef)];
}

function validateParent(parent: ParentReference | undefined): readonly FieldError[] {
	if (!parent) return [fieldRequired(PARENT)];
	const { group = '', resource = '', name = '', namespace = '' } = parent;
	const segment = (field: string, value: string): readonly FieldError[] =>
		malformed(PARENT.child(field), value, pathSegmentName(value));
	return [
		...(group === '' ? [] : malformed(PARENT.child('group'), group, dns1123Subdomain(group))),
		...(resource === '' ? [fieldRequired(PARENT.child('resource'))] : segment('resource', resource)),
		...(name === '' ? [fieldRequired(PARENT.child('name'))] : segment('name', name)),
		...segment('namespace', namespace),
	];
}

function parentText(parent: ParentReference | undefined): string {
	if (!parent) return '<none>';
	const { group = '', resource = '', namespace = '', name = '' } = parent;
	const kind = (group === '' ? resource : `${resource}.${group}`).toLowerCase();
	return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
