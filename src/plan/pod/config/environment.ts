/**
 * The environment of a container, as `makeEnvironmentVariables` of the kubelet builds it, and the expansion of
 * `$(NAME)` in variables, commands and arguments (upstream: third_party/forked/golang/expansion).
 */
import type { Container, EnvVar, Pod } from '../../../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';
import { entryOf } from '../../../base/json/json.ts';

/** A variable of a container's environment. */
export interface Variable {
	readonly name: string;
	readonly value: string;
}

/** Facts about the node and the sandbox that `fieldRef` and `resourceFieldRef` refer to beside the Pod itself. */
export interface NodeFacts {
	readonly hostIP: string;
	readonly podIP: string;
	/** The node's allocatable resources, used for limits that are not set. */
	readonly allocatable: Readonly<Record<string, string>>;
}

/**
 * The environment of a container: its variables in order, with `$(NAME)` replaced by the values of earlier ones.
 * Variables from ConfigMaps, Secrets and files are left out: plan/pod/fields does not start a container that requires
 * such a value, and an optional value that does not exist defines no variable. Throws if it gets too long.
 */
export function environmentOf(
	pod: Pod,
	container: Container,
	{ facts, expansion }: { readonly facts: NodeFacts; readonly expansion: Expansion },
): readonly Variable[] {
	const values = new Map<string, string>();
	for (const variable of container.env ?? []) {
		const value = variable.valueFrom
			? valueFrom(pod, container, variable, facts)
			: expansion.expand(variable.value ?? '', values);
		if (value !== undefined) values.set(variable.name, value);
	}
	return [...values].map(([name, value]) => ({ name, value }));
}

/** Limit on the expanded texts of a container, in characters. Linux limits arguments and environment to 2 MiB. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

/**
 * Expands `$(NAME)` in the texts of one container. Their total length is bounded: with variables that each refer
 * to the previous one twice, it doubles with each, and 40 of them would fill the memory.
 */
export class Expansion {
	#left = MOST_CHARACTERS;

	/**
	 * `text` with each `$(NAME)` replaced by the variable's value. `$$` is an escaped `$`, and a reference to an
	 * unknown name stays as it is written. Throws when the container's texts together get too long.
	 */
	expand(text: string, values: ReadonlyMap<string, string>): string {
		const parts: string[] = [];
		const take = (part: string): void => {
			this.#left -= part.length;
			if (this.#left < 0) throw new Error('argument list too long after the expansion of $(NAME)');
			parts.push(part);
		};
		let at = 0;
		let mayClose = true;
		for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', at)) {
			take(text.slice(at, dollar));
			const close = mayClose && text[dollar + 1] === '(' ? text.indexOf(')', dollar) : undefined;
			if (close === -1) mayClose = false;
			if (close !== undefined && close >= 0) {
				at = close + 1;
				take(values.get(text.slice(dollar + 2, close)) ?? text.slice(dollar, at));
			} else {
				at = dollar + (text[dollar + 1] === '$' ? 2 : 1);
				take('$');
			}
		}
		take(text.slice(at));
		return parts.join('');
	}
}

function valueFrom(
	pod: Pod,
	container: Container,
	{ valueFrom: source }: EnvVar,
	facts: NodeFacts,
): string | undefined {
	if (source?.fieldRef) return fieldValue(pod, source.fieldRef.fieldPath, facts);
	if (source?.resourceFieldRef) {
		const { containerName, resource, divisor } = source.resourceFieldRef;
		const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
		const named = containerName ? all.find(({ name }) => name === containerName) : container;
		return resourceValue(named ?? container, { resource, divisor: divisor ?? '1' }, facts);
	}
	return undefined;
}

function fieldValue(pod: Pod, path: string, { hostIP, podIP }: NodeFacts): string {
	const { metadata, spec } = pod;
	const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
	if (subscript) {
		const [, map, key = ''] = subscript;
		return entryOf(map === 'labels' ? metadata.labels : metadata.annotations, key) ?? '';
	}
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

/**
 * A request or limit in units of the divisor, rounded up, as `ExtractContainerResourceValue` upstream. A limit that is
 * not set resolves to the node's allocatable quantity, an unset request to 0.
 */
function resourceValue(
	container: Container,
	{ resource, divisor }: { readonly resource: string; readonly divisor: string },
	facts: NodeFacts,
): string {
	const [kind, name = ''] = resource.split(/\.(.*)/s);
	const { limits, requests } = container.resources ?? {};
	const set = entryOf(kind === 'limits' ? limits : requests, name);
	const quantity = set ?? (kind === 'limits' ? entryOf(facts.allocatable, name) : undefined) ?? '0';
	const unit = quantityMilliValue(divisor) === 0 ? '1' : divisor;
	if (name === 'cpu') return String(Math.ceil(quantityMilliValue(quantity) / quantityMilliValue(unit)));
	return String(Math.ceil(quantityValue(quantity) / quantityValue(unit)));
}
