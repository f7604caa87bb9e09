() => [sessionStorage.getItem("miagym-game") || ""]
