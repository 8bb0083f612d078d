/**
 * Formats milliseconds as Go's time.Duration.String: `0s`, `35ms`, `1.2s`, `1m20s`, `1h0m0.005s`. Fractions
 * are cut.
 */
export function formatGoDuration(ms: number): string {
	const whole = Math.max(0, Math.trunc(ms));
	if (whole === 0) return '0s';
	if (whole < 1000) return `${whole}ms`;
	const seconds = `${(whole % 60_000) / 1000}s`;
	const minutes = Math.floor(whole / 60_000);
	if (minutes === 0) return seconds;
	return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
