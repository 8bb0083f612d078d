import { chosen, fieldInvalid, fieldRequired, malformed } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { ipWarnings, validateEndpointIp, validateIp } from '../../network/ip-address.ts';
import { PROTOCOLS } from '../../network/protocols.ts';
import { semanticEqual } from '../../schema/equality.ts';
import type { EndpointAddress, EndpointSubset, Endpoints } from './schema.ts';

const META = new FieldPath('metadata');
const SUBSETS = new FieldPath('subsets');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** The label of Endpoints that name their controller, and its value for those of the endpoints controller. */
export const ENDPOINTS_MANAGER_LABEL = 'endpoints.kubernetes.io/managed-by';

/** See {@link ENDPOINTS_MANAGER_LABEL}. */
export const ENDPOINTS_CONTROLLER = 'endpoint-controller';

/** The errors of new or changed Endpoints (upstream: `ValidateEndpoints` in pkg/apis/core/validation). */
export function validateEndpoints(object: Endpoints, old?: Endpoints): readonly FieldError[] {
	const errors = validateMeta(object.metadata, RULES, META);
	// Subsets that an older version stored stay valid.
	if (old && semanticEqual(object.subsets, old.subsets)) return errors;
	const subsets = object.subsets ?? [];
	return [...errors, ...subsets.flatMap((subset, index) => validateSubset(subset, SUBSETS.index(index)))];
}

/** The errors of an update from `old` to `object`. */
export function validateEndpointsUpdate(object: Endpoints, old: Endpoints): readonly FieldError[] {
	return [...validateMetaUpdate(object.metadata, old.metadata, META), ...validateEndpoints(object, old)];
}

/** The warnings about addresses in unusual forms. The endpoints controller writes none, so its objects are not read. */
export function endpointsWarnings({ metadata, subsets = [] }: Endpoints): readonly string[] {
	if (metadata.labels?.[ENDPOINTS_MANAGER_LABEL] === ENDPOINTS_CONTROLLER) return [];
	return subsets.flatMap((subset, index) =>
		(['addresses', 'notReadyAddresses'] as const).flatMap((list) => {
			const path = SUBSETS.index(index).child(list);
			return (subset[list] ?? []).flatMap(({ ip }, number) => ipWarnings(ip, path.index(number).child('ip')));
		}),
	);
}

function validateSubset(subset: EndpointSubset, path: FieldPath): readonly FieldError[] {
	const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
	const errors: FieldError[] = [];
	if (addresses.length === 0 && notReadyAddresses.length === 0) {
		errors.push(fieldRequired(path, 'must specify `addresses` or `notReadyAddresses`'));
	}
	for (const [field, list] of Object.entries({ addresses, notReadyAddresses })) {
		const at = path.child(field);
		errors.push(...list.flatMap((address, index) => validateAddress(address, at.index(index))));
	}
	for (const [index, { name = '', port, protocol, appProtocol }] of ports.entries()) {
		const at = path.child('ports').index(index);
		if (name !== '') errors.push(...malformed(at.child('name'), name, dns1123Label(name)));
		else if (ports.length > 1) errors.push(fieldRequired(at.child('name')));
		errors.push(...portNumber(port).map((text) => fieldInvalid(at.child('port'), port, text)));
		errors.push(...chosen(at.child('protocol'), protocol, PROTOCOLS));
		if (appProtocol === undefined) continue;
		errors.push(...malformed(at.child('appProtocol'), appProtocol, qualifiedName(appProtocol)));
	}
	return errors;
}

function validateAddress(
	{ ip, hostname = '', nodeName }: EndpointAddress,
	path: FieldPath,
): readonly FieldError[] {
	const errors = [...validateIp(ip, path.child('ip'))];
	if (hostname !== '') errors.push(...malformed(path.child('hostname'), hostname, dns1123Label(hostname)));
	if (nodeName !== undefined) {
		errors.push(...malformed(path.child('nodeName'), nodeName, dns1123Subdomain(nodeName)));
	}
	return [...errors, ...validateEndpointIp(ip, path.child('ip'), { allowsLoopback: true })];
}
