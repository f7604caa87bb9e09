(sent, caption) => {
  // What is sent is shown if it is about the form as it stands now. The network brings answers in
  // any order, and only the browser knows what has been asked, typed and shown since.
  const shown = window.miagymShown ?? { number: 0, caption: null, isAnswer: false };
  const isOfForm = (text) => text === null || text === (caption ?? "");
  const isShown = {
    answer: sent.number === window.miagymAsked && isOfForm(sent.caption),
    form: sent.number > shown.number,
    place: sent.number > shown.number && shown.isAnswer,
    caption: shown.isAnswer && !isOfForm(shown.caption),
  }[sent.about];
  if (!isShown) return sent.shown.map(() => ({ __type__: "update" }));
  window.miagymShown = {
    number: sent.number ?? shown.number,
    caption: sent.caption,
    isAnswer: sent.about === "answer",
  };
  return sent.shown;
}
