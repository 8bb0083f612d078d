import {
	chosen,
	duplicate,
	fieldInvalid,
	fieldRequired,
	immutable,
	malformed,
	notSupported,
	tooMany,
} from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import {
	dns1123Label,
	dns1123Subdomain,
	labelValue,
	type NameCheck,
	qualifiedName,
} from '../../meta/names.ts';
import { validateLabels } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { parseIp, validateCanonicalIp, validateEndpointIp, validateIp } from '../../network/ip-address.ts';
import { PROTOCOLS } from '../../network/protocols.ts';
import { semanticEqual } from '../../schema/equality.ts';
import type { EndpointSlice, EndpointSlicePort, SliceEndpoint } from './schema.ts';

const META = new FieldPath('metadata');
const PORTS = new FieldPath('ports');
const ENDPOINTS = new FieldPath('endpoints');
const ADDRESS_TYPE = new FieldPath('addressType');
const RULES = { namespaced: true, name: dns1123Subdomain };
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const MAX_TOPOLOGY_LABELS = 16;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_ENDPOINTS = 1000;
const MAX_HINTS = 8;

/** The errors of a new or changed EndpointSlice (upstream: `ValidateEndpointSlice` in pkg/apis/discovery/validation). */
export function validateEndpointSlice(slice: EndpointSlice, old?: EndpointSlice): readonly FieldError[] {
	const errors = [
		...validateMeta(slice.metadata, RULES, META),
		...chosen(ADDRESS_TYPE, slice.addressType, ADDRESS_TYPES),
		...validatePorts(slice.ports),
	];
	// Endpoints that an older version stored stay valid.
	if (old && semanticEqual(slice.endpoints, old.endpoints)) return errors;
	return [...errors, ...validateEndpointList(slice)];
}

/** The errors of an update from `old` to `slice`. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): readonly FieldError[] {
	const errors = [
		...validateMetaUpdate(slice.metadata, old.metadata, META),
		...validateEndpointSlice(slice, old),
	];
	if (slice.addressType === old.addressType) return errors;
	return [...errors, immutable(ADDRESS_TYPE, slice.addressType)];
}

function validateEndpointList({ endpoints, addressType }: EndpointSlice): readonly FieldError[] {
	if (endpoints.length > MAX_ENDPOINTS) return [tooMany(ENDPOINTS, endpoints.length, MAX_ENDPOINTS)];
	return endpoints.flatMap((endpoint, index) =>
		validateEndpoint(endpoint, addressType, ENDPOINTS.index(index)),
	);
}

function validateEndpoint(
	{ addresses, nodeName, deprecatedTopology = {}, hostname, hints = {} }: SliceEndpoint,
	type: EndpointSlice['addressType'],
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	const at = path.child('addresses');
	if (addresses.length === 0) errors.push(fieldRequired(at, 'must contain at least 1 address'));
	if (addresses.length > MAX_ADDRESSES) errors.push(tooMany(at, addresses.length, MAX_ADDRESSES));
	errors.push(...addresses.flatMap((address, index) => validateAddress(address, type, { list: at, index })));
	if (nodeName !== undefined) {
		errors.push(...malformed(path.child('nodeName'), nodeName, dns1123Subdomain(nodeName)));
	}
	const topology = path.child('deprecatedTopology');
	const labels = Object.keys(deprecatedTopology).length;
	if (labels > MAX_TOPOLOGY_LABELS) errors.push(tooMany(topology, labels, MAX_TOPOLOGY_LABELS));
	errors.push(...validateLabels(deprecatedTopology, topology));
	if (hostname !== undefined) {
		errors.push(...malformed(path.child('hostname'), hostname, dns1123Label(hostname)));
	}
	const { forZones = [], forNodes = [] } = hints;
	const zones = path.child('hints', 'forZones');
	errors.push(...validateHints(forZones, zones, labelValue));
	// Upstream validates no more hints after too many zones.
	if (forZones.length > MAX_HINTS) return errors;
	return [...errors, ...validateHints(forNodes, path.child('hints', 'forNodes'), dns1123Subdomain)];
}

/** Addresses of an unknown type are not validated. */
function validateAddress(
	address: string,
	type: string,
	{ list, index }: { readonly list: FieldPath; readonly index: number },
): readonly FieldError[] {
	const path = list.index(index);
	if (type === 'FQDN') return validateDomain(address, path);
	if (type !== 'IPv4' && type !== 'IPv6') return [];
	const errors = type === 'IPv4' ? validateIp(address, path) : validateCanonicalIp(address, path);
	if (errors.length > 0) return errors;
	const isOther = parseIp(address)?.family !== type;
	return [
		...(isOther ? [fieldInvalid(list, address, `must be an ${type} address`)] : []),
		...validateEndpointIp(address, path, { allowsLoopback: true }),
	];
}

/** Requires a DNS name with at least two labels (upstream: `IsFullyQualifiedDomainName`). */
function validateDomain(given: string, path: FieldPath): readonly FieldError[] {
	if (given === '') return [fieldRequired(path)];
	const name = given.replace(/\.$/, '');
	const problems = dns1123Subdomain(name);
	if (problems.length > 0) return [fieldInvalid(path, name, problems.join(','))];
	const labels = name.split('.');
	if (labels.length < 2) {
		return [fieldInvalid(path, name, 'should be a domain with at least two segments separated by dots')];
	}
	const wrong = labels.find((label) => dns1123Label(label).length > 0);
	return wrong === undefined ? [] : [fieldInvalid(path, wrong, dns1123Label(wrong).join(','))];
}

function validatePorts(ports: readonly EndpointSlicePort[]): readonly FieldError[] {
	if (ports.length > MAX_PORTS) return [tooMany(PORTS, ports.length, MAX_PORTS)];
	const names = new Set<string>();
	return ports.flatMap(({ name = '', protocol = 'TCP', appProtocol }, index) => {
		const path = PORTS.index(index);
		const errors: FieldError[] = [];
		if (name !== '') errors.push(...malformed(path.child('name'), name, dns1123Label(name)));
		if (names.has(name)) errors.push(duplicate(path.child('name'), name));
		names.add(name);
		if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(path.child('protocol'), protocol, PROTOCOLS));
		if (appProtocol === undefined) return errors;
		return [...errors, ...malformed(path.child('appProtocol'), appProtocol, qualifiedName(appProtocol))];
	});
}

function validateHints(
	hints: readonly { readonly name: string }[],
	path: FieldPath,
	check: NameCheck,
): readonly FieldError[] {
	if (hints.length > MAX_HINTS) return [tooMany(path, hints.length, MAX_HINTS)];
	const names = new Set<string>();
	return hints.flatMap(({ name }, index) => {
		const at = path.index(index).child('name');
		const errors = names.has(name) ? [duplicate(at, name)] : [];
		names.add(name);
		return [...errors, ...malformed(at, name, check(name))];
	});
}
