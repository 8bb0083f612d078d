/**
 * The registry of all API resources: the server, the clients and the command line find kinds only here.
 *
 * The folders below src/api describe kinds and hold no state. meta/ is what they share, patch/ and protobuf/
 * are two more uses of their schemas, and each kind has a folder of its own under its group. A definition.ts
 * lists the parts of a kind; start with batch/job.
 */

import { deployments } from './apps/deployment/definition.ts';
import { replicaSets } from './apps/replicaset/definition.ts';
import { selfSubjectReviews, tokenReviews } from './authentication/reviews.ts';
import {
	localSubjectAccessReviews,
	selfSubjectAccessReviews,
	selfSubjectRulesReviews,
	subjectAccessReviews,
} from './authorization/reviews.ts';
import { cronjobs } from './batch/cronjob/definition.ts';
import { jobs } from './batch/job/definition.ts';
import { apiVersionOf, type ResourceDefinition } from './contract/resource-definition.ts';
import { leases } from './coordination/lease/definition.ts';
import { configMaps } from './core/configmap/definition.ts';
import { endpoints } from './core/endpoints/definition.ts';
import { events } from './core/event/definition.ts';
import { namespaces } from './core/namespace/definition.ts';
import { nodes } from './core/node/definition.ts';
import { persistentVolumes } from './core/persistentvolume/definition.ts';
import { persistentVolumeClaims } from './core/persistentvolumeclaim/definition.ts';
import { pods } from './core/pod/definition.ts';
import { replicationControllers } from './core/replicationcontroller/definition.ts';
import { secrets } from './core/secret/definition.ts';
import { services } from './core/service/definition.ts';
import { serviceAccounts } from './core/serviceaccount/definition.ts';
import { endpointSlices } from './discovery/endpointslice/definition.ts';
import { newEvents } from './events/event/definition.ts';
import { nodeMetrics, podMetrics } from './metrics/usage-metrics.ts';
import { ipAddresses } from './networking/ipaddress/definition.ts';
import { serviceCidrs } from './networking/servicecidr/definition.ts';
import { runtimeClasses } from './node/runtimeclass/definition.ts';
import { podDisruptionBudgets } from './policy/poddisruptionbudget/definition.ts';
import { priorityClasses } from './scheduling/priorityclass/definition.ts';
import { storageClasses } from './storage/storageclass/definition.ts';

/** All resources that the server serves, in the order of discovery documents. */
export const resources: readonly ResourceDefinition[] = [
	configMaps,
	endpoints,
	events,
	namespaces,
	nodes,
	persistentVolumeClaims,
	persistentVolumes,
	pods,
	replicationControllers,
	secrets,
	serviceAccounts,
	services,
	deployments,
	replicaSets,
	cronjobs,
	jobs,
	leases,
	endpointSlices,
	ipAddresses,
	serviceCidrs,
	runtimeClasses,
	podDisruptionBudgets,
	priorityClasses,
	storageClasses,
];

/** The resources whose objects are stored as those of another resource: only the API server and its clients know them. */
export const viewResources: readonly ResourceDefinition[] = [newEvents];

/** The resources whose objects are never stored: only the API server knows them. */
export const virtualResources: readonly ResourceDefinition[] = [
	selfSubjectReviews,
	tokenReviews,
	localSubjectAccessReviews,
	selfSubjectAccessReviews,
	selfSubjectRulesReviews,
	subjectAccessReviews,
	nodeMetrics,
	podMetrics,
];

/** The resources that manifests and command lines can name. Of equal names the first counts: that of the stored one. */
const named: readonly ResourceDefinition[] = [...resources, ...viewResources];

/** The resource with this apiVersion (`batch/v1`) and kind (`Job`); undefined if there is none. */
export function resourceOfKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
	return named.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
}

/**
 * The resource that a user names on the command line, as kubectl resolves it: by plural, singular, short name
 * or kind, case-insensitive, with or without group and version (`jobs`, `job`, `Job`, `jobs.batch`, `po`). By default it
 * is one that a manifest can name too.
 */
export function resourceNamed(
	word: string,
	among: readonly ResourceDefinition[] = named,
): ResourceDefinition | undefined {
	const lower = word.toLowerCase();
	return among.find((each) => {
		const names = [each.resource, each.singular, each.kind.toLowerCase(), ...each.shortNames];
		const qualified = names.flatMap((name) => [
			name,
			`${name}.${each.group}`,
			`${name}.${each.version}.${each.group}`,
		]);
		return qualified.includes(lower);
	});
}

/** The resources in a category, such as `all`. */
export function resourcesInCategory(category: string): readonly ResourceDefinition[] {
	return resources.filter(({ categories }) => categories.includes(category));
}
