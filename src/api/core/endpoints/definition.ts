import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { ageColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { mapShared, withDefaultsForZeros, withField } from '../../schema/defaults.ts';
import { type EndpointSubset, type Endpoints, endpointsSchema } from './schema.ts';
import { endpointsWarnings, validateEndpoints, validateEndpointsUpdate } from './validation.ts';

const TCP = { protocol: 'TCP' } as const;

/**
 * v1 Endpoints: registry definition and printer columns. Upstream: pkg/registry/core/endpoint/strategy.go. As upstream,
 * every answer about them has a warning that they are deprecated.
 */
export const endpoints: ResourceDefinition<Endpoints> = {
	group: '',
	version: 'v1',
	kind: 'Endpoints',
	resource: 'endpoints',
	singular: 'endpoints',
	shortNames: ['ep'],
	categories: [],
	namespaced: true,
	schema: endpointsSchema,
	deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
	defaults: (object) => withField(object, 'subsets', (subsets) => mapShared(subsets, defaultSubset)),
	strategy: {
		prepareForCreate: (object) => object,
		prepareForUpdate: (object) => object,
		validateCreate: (object) => validateEndpoints(object),
		validateUpdate: validateEndpointsUpdate,
		warnings: endpointsWarnings,
		allowUnconditionalUpdate: true,
	},
	columns: [
		nameColumn(),
		textColumn('Endpoints', 'The first three endpoints, and the number of the others.', endpointsText),
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

function defaultSubset(subset: EndpointSubset): EndpointSubset {
	return withField(subset, 'ports', (ports) => mapShared(ports, (port) => withDefaultsForZeros(port, TCP)));
}

const SHOWN = 3;

/** The ready endpoints (upstream: `formatEndpoints`). */
function endpointsText({ subsets = [] }: Endpoints): string {
	if (subsets.length === 0) return '<none>';
	const shown: string[] = [];
	let count = 0;
	for (const { addresses = [], ports = [] } of subsets) {
		count += addresses.length * Math.max(ports.length, 1);
		// Services without ports are headless ones; then only the addresses count.
		const suffixes = ports.length === 0 ? [''] : ports.map(({ port }) => `:${port}`);
		for (const suffix of suffixes) {
			for (const { ip } of addresses.slice(0, SHOWN - shown.length)) {
				shown.push(suffix !== '' && ip.includes(':') ? `[${ip}]${suffix}` : `${ip}${suffix}`);
			}
		}
	}
	const text = shown.join(',');
	return count > SHOWN ? `${text} + ${count - SHOWN} more...` : text;
}
