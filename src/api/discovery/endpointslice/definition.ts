import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { ageColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { mapShared, withDefaults, withField } from '../../schema/defaults.ts';
import { type EndpointSlice, endpointSliceSchema } from './schema.ts';
import { endpointSliceStrategy } from './strategy.ts';

const NAMELESS_TCP = { name: '', protocol: 'TCP' } as const;

/**
 * discovery.k8s.io/v1 EndpointSlices: registry definition and printer columns. Upstream:
 * pkg/registry/discovery/endpointslice and pkg/apis/discovery/v1/defaults.go.
 */
export const endpointSlices: ResourceDefinition<EndpointSlice> = {
	group: 'discovery.k8s.io',
	version: 'v1',
	kind: 'EndpointSlice',
	resource: 'endpointslices',
	singular: 'endpointslice',
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: endpointSliceSchema,
	defaults: (slice) =>
		withField(slice, 'ports', (ports) => mapShared(ports, (port) => withDefaults(port, NAMELESS_TCP))),
	strategy: endpointSliceStrategy,
	columns: [
		nameColumn(),
		textColumn('AddressType', 'Type of the addresses.', ({ addressType }) => addressType),
		textColumn('Ports', 'The first three ports, and the number of the others.', ({ ports }) =>
			firstOf(ports.map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port)))),
		),
		textColumn('Endpoints', 'The first three addresses, and the number of the others.', ({ endpoints }) =>
			firstOf(endpoints.flatMap(({ addresses }) => addresses)),
		),
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

const SHOWN = 3;

/** The first texts and the number of the others (upstream: `listWithMoreString`). */
function firstOf(texts: readonly string[]): string {
	if (texts.length === 0) return '<unset>';
	const shown = texts.slice(0, SHOWN).join(',');
	return texts.length > SHOWN ? `${shown} + ${texts.length - SHOWN} more...` : shown;
}
