import type { Container, EnvVarSource, Pod } from '../../../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';
import { entryOf } from '../../../base/json/json.ts';
import { quote } from '../../../base/quote.ts';

/** The downward API: references to fields of the Pod and to resources of its containers. */

/** Facts about the node and the sandbox that `fieldRef` and `resourceFieldRef` refer to beside the Pod itself. */
export interface NodeFacts {
	readonly hostIP: string;
	readonly podIP: string;
	/** The node's allocatable resources, used for limits that are not set. */
	readonly allocatable: Readonly<Record<string, string>>;
}

/** A `resourceFieldRef` of a variable or of a file in a volume. */
type ResourceReference = NonNullable<EnvVarSource['resourceFieldRef']>;

/** The value of a `fieldRef`: a field of the Pod, or an address of the node or the sandbox. */
export function fieldValue(pod: Pod, path: string, { hostIP, podIP }: NodeFacts): string {
	const { metadata, spec } = pod;
	const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
	if (subscript) {
		const [, map, key = ''] = subscript;
		return entryOf(map === 'labels' ? metadata.labels : metadata.annotations, key) ?? '';
	}
	if (path === 'metadata.labels') return mapText(metadata.labels);
	if (path === 'metadata.annotations') return mapText(metadata.annotations);
	const fields: Readonly<Record<string, string | undefined>> = {
		'metadata.name': metadata.name,
		'metadata.namespace': metadata.namespace,
		'metadata.uid': metadata.uid,
		'spec.nodeName': spec.nodeName,
		'spec.serviceAccountName': spec.serviceAccountName,
		'status.hostIP': hostIP,
		'status.hostIPs': hostIP,
		'status.podIP': podIP,
		'status.podIPs': podIP,
	};
	return fields[path] ?? '';
}

/** Labels or annotations as a file has them: a line `key="value"` for each, in order (upstream: `FormatMap`). */
function mapText(entries: Readonly<Record<string, string>> = {}): string {
	return Object.entries(entries)
		.map(([key, value]) => `${key}=${quote(value)}`)
		.sort()
		.join('\n');
}

/**
 * The value of a `resourceFieldRef`: a request or limit in units of the divisor, rounded up, as `ExtractContainerResourceValue` upstream. A limit that is
 * not set resolves to the node's allocatable quantity, an unset request to 0. Without
 * `containerName` it is that of `container`.
 */
export function resourceValue(
	{ pod, container }: { readonly pod: Pod; readonly container: Container | undefined },
	{ containerName, resource, divisor = '1' }: ResourceReference,
	facts: Pick<NodeFacts, 'allocatable'>,
): string {
	const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
	const named = containerName ? all.find(({ name }) => name === containerName) : undefined;
	const { limits, requests } = (named ?? container)?.resources ?? {};
	const [kind, name = ''] = resource.split(/\.(.*)/s);
	const set = entryOf(kind === 'limits' ? limits : requests, name);
	const quantity = set ?? (kind === 'limits' ? entryOf(facts.allocatable, name) : undefined) ?? '0';
	const unit = quantityMilliValue(divisor) === 0 ? '1' : divisor;
	if (name === 'cpu') return String(Math.ceil(quantityMilliValue(quantity) / quantityMilliValue(unit)));
	return String(Math.ceil(quantityValue(quantity) / quantityValue(unit)));
}
