import type { Strategy } from '../../contract/resource-definition.ts';
import { FieldPath } from '../../errors/field-path.ts';
import { generationAfter } from '../../meta/generation.ts';
import { dns1123Subdomain } from '../../meta/names.ts';
import { ipWarnings } from '../../network/ip-address.ts';
import { mapShared, withoutField } from '../../schema/defaults.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { ENDPOINT_SLICE_CONTROLLER, MIRRORING_CONTROLLER, SLICE_MANAGER_LABEL } from './labels.ts';
import type { EndpointSlice, SliceEndpoint } from './schema.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

const HOSTNAME_LABEL = 'kubernetes.io/hostname';

/** The strategy for create and update (upstream: pkg/registry/discovery/endpointslice/strategy.go). */
export const endpointSliceStrategy: Strategy<EndpointSlice> = {
	prepareForCreate: (slice) => ({
		...slice,
		metadata: { ...slice.metadata, generation: 1 },
		endpoints: withoutTopology(slice.endpoints, new Set()),
	}),
	prepareForUpdate: (slice, old) => {
		const generation = generationAfter(old.metadata, !hasSameContent(slice, old));
		const isSame = semanticEqual(slice.endpoints, old.endpoints);
		return {
			...slice,
			metadata: { ...slice.metadata, generation },
			endpoints: isSame ? slice.endpoints : withoutTopology(slice.endpoints, topologyNodes(old)),
		};
	},
	validateCreate: (slice) => validateEndpointSlice(slice),
	validateUpdate: validateEndpointSliceUpdate,
	warnings: (slice, old) => [...(old ? [] : typeWarnings(slice)), ...addressWarnings(slice)],
	allowUnconditionalUpdate: true,
};

function hasSameContent(slice: EndpointSlice, old: EndpointSlice): boolean {
	return (
		slice.addressType === old.addressType &&
		semanticEqual(slice.endpoints, old.endpoints) &&
		semanticEqual(slice.ports, old.ports) &&
		semanticEqual(slice.metadata.labels, old.metadata.labels)
	);
}

/**
 * Drops deprecatedTopology, which only v1beta1 could write. A client that sends back what it read from a slice of that time
 * gets the node name that it held (upstream: `dropTopologyOnV1`).
 */
function withoutTopology(
	endpoints: readonly SliceEndpoint[],
	known: ReadonlySet<string>,
): readonly SliceEndpoint[] {
	return mapShared(endpoints, (endpoint) => {
		const node = endpoint.deprecatedTopology?.[HOSTNAME_LABEL];
		const rest = withoutField(endpoint, 'deprecatedTopology');
		if (rest.nodeName !== undefined || node === undefined || !known.has(node)) return rest;
		return dns1123Subdomain(node).length > 0 ? rest : { ...rest, nodeName: node };
	});
}

function topologyNodes({ endpoints }: EndpointSlice): ReadonlySet<string> {
	return new Set(endpoints.flatMap(({ deprecatedTopology }) => deprecatedTopology?.[HOSTNAME_LABEL] ?? []));
}

function typeWarnings({ addressType }: EndpointSlice): readonly string[] {
	return addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
}

/** The controllers write only addresses in canonical form, so their slices are not read. */
function addressWarnings({ metadata, endpoints }: EndpointSlice): readonly string[] {
	const manager = metadata.labels?.[SLICE_MANAGER_LABEL];
	if (manager === ENDPOINT_SLICE_CONTROLLER || manager === MIRRORING_CONTROLLER) return [];
	const path = new FieldPath('endpoints');
	return endpoints.flatMap(({ addresses }, index) =>
		addresses.flatMap((address, number) =>
			ipWarnings(address, path.index(index).child('addresses').index(number)),
		),
	);
}
