/**
 * The message about a Pod that fits on no node, as upstream's FitError (framework/types.go) formats it: each
 * reason with its number of nodes, sorted as text. `reasons` has one entry for each node.
 */
export function fitError(nodes: number, reasons: Iterable<readonly string[]>): string {
	const counts = new Map<string, number>();
	for (const each of reasons) for (const reason of each) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	const parts = Array.from(counts, ([reason, count]) => `${count} ${reason}`).sort();
	const details = parts.length > 0 ? ` ${parts.join(', ')}.` : '';
	return `0/${nodes} nodes are available:${details}`;
}
