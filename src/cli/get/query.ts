import { pathOf } from '../../client/client.ts';
import type { Target } from '../args/resource-args.ts';
import type { CommonFlags } from '../context.ts';

/** The flags of `get`. */
export interface GetFlags extends CommonFlags {
	readonly output?: string;
	readonly watch?: boolean;
	readonly watchOnly?: boolean;
	readonly outputWatchEvents?: boolean;
	readonly allNamespaces?: boolean;
	readonly selector?: string;
	readonly fieldSelector?: string;
	readonly ignoreNotFound?: boolean;
	readonly showLabels?: boolean;
	readonly showManagedFields?: boolean;
	readonly labelColumns: readonly string[];
	/** False with --no-headers. */
	readonly headers: boolean;
	readonly raw?: string;
}

/** One request of `get`, with the target that it reads. */
export interface GetQuery {
	readonly target: Target;
	readonly path: string;
	readonly query: Readonly<Record<string, string>>;
}

/** The Accept header that requests a Table; a server that does not support Tables answers with the objects. */
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** The request for a target: one object by name, or a list with the selectors of the flags. */
export function queryFor(target: Target, namespace: string | undefined, flags: GetFlags): GetQuery {
	const collection = pathOf(target.definition, namespace);
	if (target.name !== undefined)
		return { target, path: `${collection}/${encodeURIComponent(target.name)}`, query: {} };
	// Selectors are evaluated by the server, which then sends only what is printed.
	const query = {
		...(flags.selector && { labelSelector: flags.selector }),
		...(flags.fieldSelector && { fieldSelector: flags.fieldSelector }),
	};
	return { target, path: collection, query };
}
