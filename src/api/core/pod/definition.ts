import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { podColumns } from './columns.ts';
import { defaultPod } from './defaults.ts';
import { type Pod, podSchema } from './schema.ts';
import { podDeletion, podStatusStrategy, podStrategy } from './strategy.ts';

/** v1 Pods: the registry definition, which joins the parts of this folder. */
export const pods: ResourceDefinition<Pod> = {
	group: '',
	version: 'v1',
	kind: 'Pod',
	resource: 'pods',
	singular: 'pod',
	shortNames: ['po'],
	categories: ['all'],
	namespaced: true,
	schema: podSchema,
	defaults: defaultPod,
	strategy: podStrategy,
	status: podStatusStrategy,
	columns: podColumns,
	// Upstream: `ToSelectableFields` in pkg/registry/core/pod/strategy.go. Each node agent watches only the Pods whose
	// spec.nodeName is its own node.
	selectableFields: ({ spec, status }) => ({
		'spec.nodeName': spec.nodeName ?? '',
		'spec.restartPolicy': spec.restartPolicy ?? '',
		'spec.schedulerName': spec.schedulerName ?? '',
		'spec.serviceAccountName': spec.serviceAccountName ?? '',
		'spec.hostNetwork': String(spec.hostNetwork ?? false),
		'status.phase': status.phase ?? '',
		'status.podIP': status.podIPs?.[0]?.ip ?? status.podIP ?? '',
		'status.nominatedNodeName': status.nominatedNodeName ?? '',
	}),
	deletion: podDeletion,
};
