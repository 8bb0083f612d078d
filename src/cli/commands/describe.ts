import { deployments } from '../../api/apps/deployment/definition.ts';
import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import { cronjobs } from '../../api/batch/cronjob/definition.ts';
import { jobs } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { isOfKind, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { configMaps } from '../../api/core/configmap/definition.ts';
import { endpoints } from '../../api/core/endpoints/definition.ts';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { nodes } from '../../api/core/node/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { replicationControllers } from '../../api/core/replicationcontroller/definition.ts';
import { secrets } from '../../api/core/secret/definition.ts';
import type { Secret } from '../../api/core/secret/schema.ts';
import { services } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import { endpointSlices } from '../../api/discovery/endpointslice/definition.ts';
import { SERVICE_NAME_LABEL } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { ipAddresses } from '../../api/networking/ipaddress/definition.ts';
import { serviceCidrs } from '../../api/networking/servicecidr/definition.ts';
import { priorityClasses } from '../../api/scheduling/priorityclass/definition.ts';
import { lastStatusOf } from '../../plan/pod/snapshot.ts';
import { hinted, targetsOf } from '../args/not-found.ts';
import { nothingFound, type Target } from '../args/resource-args.ts';
import type { CliContext, CommonFlags, Connection } from '../context.ts';
import { configMapLines, secretLines } from '../describe/config-map.ts';
import { cronJobLines } from '../describe/cron-job.ts';
import { endpointSliceLines, endpointsLines } from '../describe/endpoints.ts';
import { eventLines, eventsAbout } from '../describe/events.ts';
import { genericLines, namespaceLines } from '../describe/generic.ts';
import { jobLines } from '../describe/job.ts';
import { nodeLines } from '../describe/node.ts';
import { podLines } from '../describe/pod.ts';
import { priorityClassLines } from '../describe/priority-class.ts';
import { serviceLines } from '../describe/service.ts';
import { serviceAccountLines } from '../describe/service-account.ts';
import { ipAddressLines, serviceCidrLines } from '../describe/service-cidr.ts';
import { deploymentLines, replicaSetLines, replicationControllerLines } from '../describe/workload.ts';
import { logLines } from '../logs/log-stream.ts';
import { alignText, DESCRIBE_STYLE } from '../print/aligned-text.ts';
import { type ContainerFailure, failuresOf, failuresText } from '../run/failures.ts';

/** The flags of `describe`. */
export interface DescribeFlags extends CommonFlags {
	readonly selector?: string;
	readonly allNamespaces?: boolean;
	/** False with --no-show-events. */
	readonly showEvents: boolean;
}

/**
 * `stint describe`: prints details of objects as kubectl does, with their Events. For a Job whose Pods failed
 * it also prints how their containers ended and their last log lines, which kubectl does not. Resolves to the
 * exit code.
 */
export async function describe(
	context: CliContext,
	words: readonly string[],
	flags: DescribeFlags,
): Promise<number> {
	const targets = await targetsOf(words, () => context.connect(flags.kubeconfig), flags.namespace);
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? connection.namespace);
	let count = 0;
	for (const target of targets) {
		for (const object of await objectsOf(connection, target, { namespace, selector: flags.selector })) {
			const lines = [...(await linesOf(connection, object, context.clock.now()))];
			// kubectl prints no Events of a Namespace or a Secret.
			if (flags.showEvents && !isOfKind(object, namespaces) && !isOfKind(object, secrets))
				lines.push(...eventLines(await eventsAbout(connection.client, object), context.clock.now()));
			// kubectl separates descriptions by two empty lines.
			if (count > 0) context.stdout.write('\n\n');
			context.stdout.print(alignText(lines.map((line) => `${line}\n`).join(''), DESCRIBE_STYLE));
			count += 1;
		}
	}
	if (count === 0) context.stderr.print(`${nothingFound(targets, namespace)}\n`);
	return 0;
}

interface Where {
	readonly namespace: string | undefined;
	readonly selector: string | undefined;
}

/**
 * The objects of a target: all that match the selector, or those with the name or a name that starts with it.
 */
async function objectsOf(
	connection: Connection,
	{ definition, name }: Target,
	{ namespace, selector }: Where,
): Promise<readonly KubeObject[]> {
	const target = connection.client.resource(definition, namespace);
	const query = selector ? { labelSelector: selector } : {};
	if (name === undefined) return (await target.list(query)).items;
	try {
		return [await target.get(name)];
	} catch (error) {
		if (!isApiError(error, 'NotFound')) throw error;
		// As kubectl does, describe the objects whose names start with the argument.
		const { items } = await target.list();
		const alike = items.filter(({ metadata }) => metadata.name?.startsWith(name));
		if (alike.length > 0) return alike;
		throw await hinted(error, connection, { definition, name, namespace });
	}
}

/** The lines of an object without its Events. A kind without its own description gets the generic one. */
async function linesOf(connection: Connection, object: KubeObject, now: number): Promise<readonly string[]> {
	if (isOfKind(object, jobs)) return [...jobLines(object), ...(await failureLines(connection, object))];
	if (isOfKind(object, cronjobs)) return cronJobLines(object);
	if (isOfKind(object, deployments))
		return deploymentLines(object, await inNamespace(connection, replicaSets, object));
	if (isOfKind(object, replicaSets))
		return replicaSetLines(object, await inNamespace(connection, pods, object));
	if (isOfKind(object, replicationControllers))
		return replicationControllerLines(object, await inNamespace(connection, pods, object));
	if (isOfKind(object, pods)) return podLines(object, now);
	if (isOfKind(object, namespaces)) return namespaceLines(object);
	if (isOfKind(object, configMaps)) return configMapLines(object);
	if (isOfKind(object, secrets)) return secretLines(object);
	if (isOfKind(object, serviceAccounts))
		return serviceAccountLines(object, await secretsIn(connection, object.metadata.namespace));
	if (isOfKind(object, services)) return serviceLines(object, await slicesOf(connection, object));
	if (isOfKind(object, endpoints)) return endpointsLines(object);
	if (isOfKind(object, endpointSlices)) return endpointSliceLines(object);
	if (isOfKind(object, serviceCidrs)) return serviceCidrLines(object);
	if (isOfKind(object, ipAddresses)) return ipAddressLines(object);
	if (isOfKind(object, priorityClasses)) return priorityClassLines(object);
	if (!isOfKind(object, nodes)) return genericLines(object);
	const fieldSelector = `spec.nodeName=${object.metadata.name},status.phase!=Succeeded,status.phase!=Failed`;
	// All namespaces: a node runs Pods of any of them.
	const { items } = await connection.client.resource(pods).list({ fieldSelector });
	return nodeLines(object, items, now);
}

/** The EndpointSlices of a Service; undefined if they cannot be listed: the user may not be allowed to. */
async function slicesOf(
	{ client }: Connection,
	{ metadata: { name, namespace } }: Service,
): Promise<readonly EndpointSlice[] | undefined> {
	const labelSelector = `${SERVICE_NAME_LABEL}=${name}`;
	try {
		return (await client.resource(endpointSlices, namespace).list({ labelSelector })).items;
	} catch {
		return undefined;
	}
}

/** The objects of a resource in the namespace of `object`. */
async function inNamespace<T extends KubeObject>(
	{ client }: Connection,
	definition: ResourceDefinition<T>,
	{ metadata }: KubeObject,
): Promise<readonly T[]> {
	return (await client.resource(definition, metadata.namespace).list()).items;
}

/** The Secrets of a namespace; undefined if they cannot be listed: the user may not be allowed to. */
async function secretsIn(
	{ client }: Connection,
	namespace: string | undefined,
): Promise<readonly Secret[] | undefined> {
	try {
		return (await client.resource(secrets, namespace).list()).items;
	} catch {
		return undefined;
	}
}

/** Number of last log lines that are printed for a failed container. */
const LAST_LINES = 5;

/**
 * How the containers of a Job's Pods failed. Logs are read for the three failures that {@link failuresText}
 * prints, and not for all of them: a Job may have thousands of failed Pods.
 */
async function failureLines(connection: Connection, { metadata, spec }: Job): Promise<readonly string[]> {
	const target = connection.client.resource(pods, metadata.namespace);
	const { items } = await target.list({ labelSelector: labelSelectorText(spec.selector) });
	const failures = failuresOf(items);
	if (failures.length === 0) return [];
	const lastLinesOf = new Map<ContainerFailure, readonly string[]>();
	for (const failure of failures.slice(0, 3)) {
		const pod = items.find((each) => each.metadata.name === failure.pod);
		if (pod) lastLinesOf.set(failure, await lastLines(connection, pod, failure));
	}
	const text = failuresText(failures, (failure) => lastLinesOf.get(failure) ?? []);
	return ['Failed Pods:', ...text.trimEnd().replaceAll('\t', '  ').split('\n')];
}

/** The last log lines of the attempt that failed; none if its log cannot be read. */
async function lastLines(
	connection: Connection,
	pod: Pod,
	{ container, containerId }: ContainerFailure,
): Promise<readonly string[]> {
	if (container === undefined) return [];
	const found: string[] = [];
	// The container may have been restarted: its present log is that of another attempt.
	const before = lastStatusOf(pod, container)?.lastState?.terminated;
	const previous = before !== undefined && before.containerID === containerId;
	try {
		for await (const lines of logLines(connection, pod, { container, previous, tailLines: LAST_LINES }))
			found.push(...lines);
	} catch {
		// The failure is reported without log lines if the log cannot be read: the Pod may have been deleted.
	}
	return found;
}
