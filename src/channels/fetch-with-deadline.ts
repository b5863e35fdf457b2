/** `fetch` that gives up after `deadlineMs`: a client without one waits for a silent server for good. */
export function fetchWithDeadline(deadlineMs: number): typeof fetch {
  return (input, init) => {
    const signals = [AbortSignal.timeout(deadlineMs), ...(init?.signal ? [init.signal] : [])];
    return fetch(input, { ...init, signal: AbortSignal.any(signals) });
  };
}
