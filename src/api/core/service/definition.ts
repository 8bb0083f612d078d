import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { serviceColumns } from './columns.ts';
import { defaultService } from './defaults.ts';
import { type Service, serviceSchema } from './schema.ts';
import { serviceStatusStrategy, serviceStrategy } from './strategy.ts';

/**
 * v1 Services: registry definition. The API server allocates their addresses and ports before the strategy sees them.
 */
export const services: ResourceDefinition<Service> = {
	group: '',
	version: 'v1',
	kind: 'Service',
	resource: 'services',
	singular: 'service',
	shortNames: ['svc'],
	categories: ['all'],
	namespaced: true,
	schema: serviceSchema,
	defaults: defaultService,
	strategy: serviceStrategy,
	status: serviceStatusStrategy,
	columns: serviceColumns,
	selectableFields: ({ spec }) => ({
		'spec.clusterIP': spec.clusterIP ?? '',
		'spec.type': spec.type ?? '',
	}),
	deletion: { defaultPropagation: 'Background' },
};
