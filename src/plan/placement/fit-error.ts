/**
 * Why no node will do, in the words and the order of upstream's FitError (framework/types.go): each reason
 * with the number of nodes it was given for, sorted as text.
 */
export function fitError(nodes: number, reasons: Iterable<readonly string[]>): string {
	const counts = new Map<string, number>();
	for (const each of reasons) for (const reason of each) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	const parts = Array.from(counts, ([reason, count]) => `${count} ${reason}`).sort();
	const told = parts.length > 0 ? ` ${parts.join(', ')}.` : '';
	return `0/${nodes} nodes are available:${told}`;
}
