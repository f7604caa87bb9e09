(...values) => {
  // A picture that is dropped is numbered as any question is; beside it stands the caption of the
  // answer that is shown, which belongs to the picture before.
  window.miagymAsked = (window.miagymAsked || 0) + 1;
  return [...values.slice(0, -2), window.miagymShown?.caption ?? null, window.miagymAsked];
}
