import type { Container, EnvVar, Pod } from '../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../api/meta/quantity.ts';
import { entryOf } from '../base/json.ts';

/** A variable of a container's environment. */
export interface Variable {
	readonly name: string;
	readonly value: string;
}

/** What a field of a Pod can be read from beside the Pod itself. */
export interface NodeFacts {
	readonly hostIP: string;
	readonly podIP: string;
	/** What the node has, for limits that are not set. */
	readonly allocatable: Readonly<Record<string, string>>;
}

/**
 * The environment of a container: its variables in order, with `$(NAME)` replaced by earlier ones.
 * What comes from ConfigMaps, Secrets and files is left out: a container that needs such a value is held back
 * before (plan/pod/fields), and an optional one that does not exist gives no variable.
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

/** What a program can be started with at most, in characters: Linux takes a quarter of the stack, 2 MiB. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

/**
 * Fills in the variables of one container. All its texts together are bounded, since a few variables that
 * name one another twice would otherwise fill the memory.
 */
export class Expansion {
	#left = MOST_CHARACTERS;

	/**
	 * `text` with each `$(NAME)` replaced by the variable's value, as in commands and arguments. `$$(NAME)`
	 * stands for itself, and so does a name that is not known. Throws when all texts become too long.
	 */
	expand(text: string, values: ReadonlyMap<string, string>): string {
		const parts: string[] = [];
		const take = (part: string): void => {
			this.#left -= part.length;
			if (this.#left < 0) throw new Error('argument list too long: with its variables filled in');
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

/** A request or limit in units of the divisor, rounded up; a limit that is not set is the node's size. */
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
